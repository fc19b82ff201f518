/** Token bucket of a sender's messages. */
export interface MessageRate {
  readonly capacity: number;
  readonly refillPerMinute: number;
}

/** What the defaults of a bucket are once it is switched on; those of existing deployments. */
const defaultRate = 30;

/** No limit where neither is set. */
export function chooseMessageRate(
  capacity: number | undefined,
  refillPerMinute: number | undefined,
): MessageRate | undefined {
  if (capacity === undefined && refillPerMinute === undefined) return undefined;
  return { capacity: capacity ?? defaultRate, refillPerMinute: refillPerMinute ?? defaultRate };
}

/** Token bucket of a sender's messages. */
export interface MessageRate {
  readonly capacity: number;
  readonly refillPerMinute: number;
}

/** Default of a bucket that is switched on; the same as in existing deployments. */
const defaultRate = 30;

/** The bucket to use; no limit where neither value is set. */
export function chooseMessageRate(
  capacity: number | undefined,
  refillPerMinute: number | undefined,
): MessageRate | undefined {
  if (capacity === undefined && refillPerMinute === undefined) return undefined;
  return { capacity: capacity ?? defaultRate, refillPerMinute: refillPerMinute ?? defaultRate };
}

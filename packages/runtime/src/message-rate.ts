/** Token bucket of a sender's messages. */
export interface MessageRate {
  readonly capacity: number;
  readonly refillPerMinute: number;
}

/** The value that is not set where the other one is; the same as in existing deployments. */
const defaultRate = 30;

/** The bucket to use; `undefined`, for the default, where neither value is set. */
export function chooseMessageRate(
  capacity: number | undefined,
  refillPerMinute: number | undefined,
): MessageRate | undefined {
  if (capacity === undefined && refillPerMinute === undefined) return undefined;
  return { capacity: capacity ?? defaultRate, refillPerMinute: refillPerMinute ?? defaultRate };
}

/**
 * Whether what one user may cause is limited. Notes it when it is not.
 * @param wanted what the operator has set; limits are on by default
 */
export function chooseRateLimits(
  wanted: boolean | undefined,
  note: (level: "info" | "warn", text: string) => void,
): boolean {
  if (wanted !== false) return true;
  note("warn", "CHAT21_RATE_LIMITS is off: one user can use up the whole server");
  return false;
}

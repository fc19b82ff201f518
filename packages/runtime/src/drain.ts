import type { Log } from "@chat21/engine";

/** Longest time a stopping process takes. */
export const drainTimeoutMs = 10_000;

/** The parts to stop when a process ends, in an order that loses nothing. */
export interface Drain {
  /**
   * Adds a part that was started. It is stopped before all parts that were added earlier.
   * @param what names the part in the log
   * @param share of {@link drainTimeoutMs} that stopping may take, 0 for what stops at once; the shares of parts that
   * stop one after the other stay below 1 together
   * @param stop may answer a promise, and keeps to the time that it is given; {@link within} cuts off what cannot
   */
  add(what: string, share: number, stop: (timeoutMs: number) => unknown): void;
  /** Whether stopping has begun. */
  readonly hasBegun: boolean;
  /** Stops part after part. A part that fails is logged, and the next ones follow. Idempotent; never rejects. */
  readonly close: () => Promise<void>;
}

/** A drain without parts yet; it logs failures to this log. */
export function createDrain(log: Pick<Log, "warn">): Drain {
  const parts: Parameters<Drain["add"]>[] = [];
  let closing: Promise<void> | undefined;

  const stopAll = async (): Promise<void> => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const [what, share, stop] = part;
      try {
        await stop(drainTimeoutMs * share);
      } catch (err) {
        log.warn({ err }, `${what} did not stop cleanly`);
      }
    }
  };

  return {
    add: (...part) => void parts.push(part),
    get hasBegun() {
      return closing !== undefined;
    },
    close() {
      closing ??= stopAll();
      return closing;
    },
  };
}

/** Waits for `work`, and rejects when it is not done in time. */
export async function within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

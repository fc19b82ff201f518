import type { Log } from "@chat21/engine";

/** Longest time a stopping process takes. */
export const drainTimeoutMs = 10_000;

/** Waits for `work`, and rejects when it is not done in time. */
export async function within(work: Promise<unknown> | undefined, timeoutMs: number): Promise<void> {
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

/**
 * One step of stopping: waits for `work` and says so when it fails, because the steps behind it are to come whatever
 * happens. Never rejects.
 */
export type DrainStep = (what: string, work: Promise<unknown> | undefined) => Promise<void>;

/** Steps that tell this log. */
export function createDrainStep(log: Pick<Log, "warn">): DrainStep {
  return async (what, work) => {
    try {
      await work;
    } catch (err) {
      log.warn({ err }, `${what} did not stop cleanly`);
    }
  };
}

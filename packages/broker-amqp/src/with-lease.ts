import type { LeaseStore } from "@chat21/engine";
import type { Timers } from "./timers.ts";

/** Options of {@link withLease}. */
export interface WithLeaseOptions {
  readonly leases: LeaseStore;
  readonly holder: string;
  readonly name: string;
  readonly timers: Timers;
}

const ttlMs = 5_000;
const renewMs = 1_000;
const retryMs = 250;

/**
 * Runs `run` while no other process does: waits for the lease, keeps it, gives it back. `isHeld` tells whether it is
 * still ours, by our own clock. Rejects when the store does not answer while it waits.
 */
export async function withLease<T>(
  { leases, holder, name, timers }: WithLeaseOptions,
  run: (isHeld: () => boolean) => Promise<T>,
): Promise<T> {
  let heldUntil = 0;
  const acquire = async () => {
    const before = timers.now();
    const [isOurs = false] = await leases.acquire(holder, [name], ttlMs);
    if (isOurs) heldUntil = before + ttlMs;
    return isOurs;
  };
  while (!(await acquire())) await new Promise<void>((resolve) => void timers.after(retryMs, resolve));
  let cancel = () => {};
  const renewLater = () => {
    cancel = timers.after(renewMs, () => void acquire().then(renewLater, renewLater));
  };
  renewLater();
  try {
    return await run(() => timers.now() < heldUntil);
  } finally {
    cancel();
    // Otherwise it runs out.
    await leases.release(holder, [name]).catch(() => {});
  }
}

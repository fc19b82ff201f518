import { createManualClock, createMemoryLeases, describeLeaseStore } from "../src/index.ts";

describeLeaseStore("memory leases", async () => {
  const clock = createManualClock();
  const leases = createMemoryLeases(clock);
  return {
    processes: [leases, leases],
    toleranceMs: 0,
    elapse: (elapsedMs) => clock.advance(elapsedMs),
    cleanup: async () => {},
  };
});

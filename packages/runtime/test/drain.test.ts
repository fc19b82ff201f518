import { describe, expect, it } from "vitest";
import { createDrain, drainTimeoutMs, within } from "../src/index.ts";

function drainWithLog() {
  const lines: string[] = [];
  const drain = createDrain({ warn: (_: object, message: string) => void lines.push(message) });
  return { drain, lines };
}

describe("a drain", () => {
  it("stops parts one after the other, the newest first, each with its share of the time", async () => {
    const { drain, lines } = drainWithLog();
    const seen: string[] = [];
    drain.add("the store", 0.1, async (timeoutMs) => void seen.push(`store ${timeoutMs}`));
    drain.add("the engine", 0.3, async (timeoutMs) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`engine ${timeoutMs}`);
    });
    drain.add("the watch", 0, () => void seen.push("watch"));

    await drain.close();

    expect(seen).toEqual(["watch", `engine ${drainTimeoutMs * 0.3}`, `store ${drainTimeoutMs * 0.1}`]);
    expect(lines).toEqual([]);
  });

  it("goes on behind parts that fail or hang, and names them", async () => {
    const { drain, lines } = drainWithLog();
    const seen: string[] = [];
    drain.add("the store", 0.1, () => void seen.push("store"));
    drain.add("the engine", 0.001, (timeoutMs) => within(new Promise(() => {}), timeoutMs));
    drain.add("the edge", 0.1, () => Promise.reject(new Error("gone")));
    drain.add("the worker", 0.1, () => {
      throw new Error("gone");
    });

    await drain.close();

    expect(seen).toEqual(["store"]);
    expect(lines).toEqual(["worker", "edge", "engine"].map((part) => `the ${part} did not stop cleanly`));
  });

  it("stops once, however often it is asked, and says that it has begun", async () => {
    const { drain } = drainWithLog();
    let stops = 0;
    drain.add("the store", 0.1, () => {
      stops += 1;
    });

    const before = drain.hasBegun;
    const closings = [drain.close(), drain.close()];
    const after = drain.hasBegun;
    await Promise.all([...closings, drain.close()]);

    expect([before, after, stops]).toEqual([false, true, 1]);
  });
});

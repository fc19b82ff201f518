import { expect, test } from "vitest";
import { createManualClock } from "../src/index.ts";

test("Timers fire in order of time, each at its own moment", async () => {
  const clock = createManualClock(1_000);
  const fired: [string, number][] = [];
  void clock.delay(30).then(() => fired.push(["delay", clock.now()]));
  clock.every(20, () => fired.push(["every", clock.now()]));

  await clock.advance(45);

  expect(fired).toEqual([
    ["every", 1_020],
    ["delay", 1_030],
    ["every", 1_040],
  ]);
  expect(clock.now()).toBe(1_045);
});

test("A timer set by a timer fires within the same stretch", async () => {
  const clock = createManualClock(0);
  const fired: number[] = [];
  void clock.delay(10).then(async () => {
    await clock.delay(10);
    fired.push(clock.now());
  });

  await clock.advance(25);

  expect(fired).toEqual([20]);
});

test("A stopped interval never fires again", async () => {
  const clock = createManualClock(0);
  let fired = 0;
  const stop = clock.every(10, () => {
    fired += 1;
    stop();
  });

  await clock.advance(100);

  expect(fired).toBe(1);
  expect(clock.nextTimerAt()).toBeNull();
});

test("Soon needs no time to pass", async () => {
  const clock = createManualClock(0);

  await new Promise<void>((resolve) => clock.soon(resolve));

  expect(clock.now()).toBe(0);
});

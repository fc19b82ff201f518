import { generateWebhookSecret } from "@chat21/events";
import { expect, test } from "vitest";
import { EndpointLane, laneLimits } from "../src/endpoint-lane.ts";

const { requests, failuresUntilRest, firstRestMs, longestRestMs } = laneLimits;
const newLane = () => new EndpointLane({ url: "http://a.example/", secrets: [generateWebhookSecret()] });

function fail(lane: EndpointLane, times: number, now: number): void {
  for (let i = 0; i < times; i++) lane.noteFailure(now, null);
}

test("A working endpoint has room for a bounded number of requests", () => {
  const lane = newLane();

  lane.begin();
  lane.begin();
  lane.end();

  expect(lane.underWay).toBe(1);
  expect(lane.room(0)).toBe(requests - 1);
});

test("A few failures between successes change nothing", () => {
  const lane = newLane();

  for (let round = 0; round < 10; round++) {
    fail(lane, failuresUntilRest - 1, 0);
    expect(lane.noteAnswer()).toBeNull();
  }

  expect(lane.room(0)).toBe(requests);
});

test("Failures in a row make it rest, then ask with one request at a time, with longer and longer rests", () => {
  const lane = newLane();
  fail(lane, failuresUntilRest - 1, 0);

  expect(lane.noteFailure(0, null)).toBe("failing");
  expect(lane.room(0)).toBe(0);
  expect(lane.room(firstRestMs)).toBe(1);

  const rests: number[] = [];
  for (let probe = 0; probe < 9; probe++) {
    const at = lane.restUntil;
    expect(lane.noteFailure(at, null)).toBeNull();
    rests.push(lane.restUntil - at);
  }
  expect(rests).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
});

test("What was under way when the rest began does not make it longer", () => {
  const lane = newLane();

  fail(lane, failuresUntilRest + requests, 0);

  expect(lane.restUntil).toBe(firstRestMs);
});

test("One success ends the rests", () => {
  const lane = newLane();
  fail(lane, failuresUntilRest, 0);

  expect(lane.noteAnswer()).toBe("recovered");

  expect(lane.failing).toBe(false);
  expect(lane.room(0)).toBe(requests);
});

test("Retry-After rests the endpoint at once, within bounds", () => {
  const lane = newLane();

  lane.noteFailure(0, 20_000);
  expect(lane.room(19_999)).toBe(0);
  expect(lane.room(20_000)).toBe(requests);

  lane.noteFailure(20_000, 86_400_000);
  expect(lane.restUntil).toBe(20_000 + longestRestMs);
});

test("An endpoint that said 410 has no room until it is enabled", () => {
  const lane = newLane();

  expect(lane.noteGone("one")).toBe(true);
  expect(lane.noteGone("two")).toBe(false);
  expect(lane.goneId).toBe("one");
  expect(lane.room(Number.MAX_SAFE_INTEGER)).toBe(0);

  lane.enable();
  expect(lane.room(0)).toBe(requests);
});

import { generateWebhookSecret } from "@chat21/events";
import { expect, test } from "vitest";
import { EndpointGate, gateLimits } from "../src/endpoint-gate.ts";

const { requests, failuresUntilRest, firstRestMs, longestRestMs } = gateLimits;
const newGate = () => new EndpointGate({ url: "http://a.example/", secrets: [generateWebhookSecret()] });

function fail(gate: EndpointGate, times: number, now: number): void {
  for (let i = 0; i < times; i++) gate.noteFailure(now, null, true);
}

test("A working endpoint has room for a bounded number of requests", () => {
  const gate = newGate();

  gate.begin();
  gate.begin();
  gate.end();

  expect(gate.underWay).toBe(1);
  expect(gate.room(0)).toBe(requests - 1);
});

test("A few failures between successes change nothing", () => {
  const gate = newGate();

  for (let round = 0; round < 10; round++) {
    fail(gate, failuresUntilRest - 1, 0);
    expect(gate.noteAnswer()).toBeNull();
  }

  expect(gate.room(0)).toBe(requests);
});

test("Failures in a row make it rest, then ask with one request at a time, with longer and longer rests", () => {
  const gate = newGate();
  fail(gate, failuresUntilRest - 1, 0);

  expect(gate.noteFailure(0, null, true)).toBe("failing");
  expect(gate.room(0)).toBe(0);
  expect(gate.room(firstRestMs)).toBe(1);

  const rests: number[] = [];
  for (let probe = 0; probe < 9; probe++) {
    const at = gate.restUntil;
    expect(gate.noteFailure(at, null, true)).toBeNull();
    rests.push(gate.restUntil - at);
  }
  expect(rests).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
});

test("What was under way when the rest began does not make it longer", () => {
  const gate = newGate();

  fail(gate, failuresUntilRest + requests, 0);

  expect(gate.restUntil).toBe(firstRestMs);
});

test("One success ends the rests", () => {
  const gate = newGate();
  fail(gate, failuresUntilRest, 0);

  expect(gate.noteAnswer()).toBe("recovered");

  expect(gate.failing).toBe(false);
  expect(gate.room(0)).toBe(requests);
});

test("Retry-After rests the endpoint at once, within bounds", () => {
  const gate = newGate();

  gate.noteFailure(0, 20_000, true);
  expect(gate.room(19_999)).toBe(0);
  expect(gate.room(20_000)).toBe(requests);

  gate.noteFailure(20_000, 86_400_000, true);
  expect(gate.restUntil).toBe(20_000 + longestRestMs);
});

test("An endpoint that said 410 has no room until it is enabled", () => {
  const gate = newGate();

  expect(gate.noteGone("one")).toBe(true);
  expect(gate.noteGone("two")).toBe(false);
  expect(gate.goneId).toBe("one");
  expect(gate.room(Number.MAX_SAFE_INTEGER)).toBe(0);

  gate.enable();
  expect(gate.room(0)).toBe(requests);
});

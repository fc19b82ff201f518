import { describe, expect, it, test } from "vitest";
import { eventCodes, limits, messageStatus, webhookEvents } from "../src/index.ts";

test("The states of a message have the numbers of the existing wire", () => {
  expect(messageStatus).toEqual({
    failed: -100,
    sending: 0,
    sent: 100,
    delivered: 150,
    received: 200,
    returnReceipt: 250,
    seen: 300,
  });
});

test("Webhook events have the names that existing consumers know", () => {
  expect([...webhookEvents]).toEqual([
    "message-sent",
    "message-delivered",
    "message-received",
    "message-return-receipt",
    "conversation-archived",
    "conversation-unarchived",
    "presence-change",
    "message-deleted",
  ]);
});

test("Kinds of events in a log keep their names and numbers, because they are stored", () => {
  expect(eventCodes).toEqual({
    message: 0,
    group_created: 1,
    group_updated: 2,
    member_added: 3,
    member_removed: 4,
    erased: 6,
  });
});

describe("The limits", () => {
  it("are whole and above zero", () => {
    for (const [name, value] of Object.entries(limits)) {
      expect(Number.isInteger(value), name).toBe(true);
      expect(value, name).toBeGreaterThan(0);
    }
  });

  it("agree with each other", () => {
    expect(limits.listDefault).toBeLessThanOrEqual(limits.listMax);
    expect(limits.joinReplay).toBeLessThanOrEqual(limits.listMax);
    expect(limits.payloadBytes).toBeLessThanOrEqual(limits.joinReplayCharacters);
    expect(limits.joinReplayCharacters).toBeLessThanOrEqual(limits.joinReplayBurst);
    expect(limits.payloadBytes).toBeLessThanOrEqual(limits.bodyBytes);
    expect(limits.bodyBytes).toBeLessThan(limits.groupBodyBytes);
    expect(limits.payloadBytes).toBeLessThan(limits.answerBytes);
    expect(limits.heavyRequests).toBeLessThan(limits.heavyWaiting);
    expect(limits.inlineGroupMembers).toBeLessThanOrEqual(limits.groupMembers);
    expect(limits.strictTokenTtlMs).toBeLessThanOrEqual(limits.compatTokenTtlMs);
  });
});

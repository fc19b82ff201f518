import { describe, expect, it, test } from "vitest";
import { eventTypes, limits, messageStatus, webhookEvents } from "../src/index.ts";

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
  ]);
});

test("Kinds of events in a log are never renamed, because they are stored", () => {
  expect([...eventTypes]).toEqual([
    "message",
    "group_created",
    "group_updated",
    "member_added",
    "member_removed",
    "erased",
  ]);
});

describe("The limits", () => {
  it("are whole and above zero", () => {
    for (const [name, value] of Object.entries(limits)) {
      expect(Number.isInteger(value), name).toBe(true);
      expect(value, name).toBeGreaterThan(0);
    }
  });

  it("are those the wire is documented with", () => {
    expect(limits).toMatchObject({
      idBytes: 64,
      groupIdBytes: 128,
      routingKeyBytes: 255,
      payloadBytes: 65_536,
      payloadDepth: 32,
      inlineGroupMembers: 50,
      joinReplay: 200,
      listDefault: 200,
      listMax: 1_000,
      syncEvents: 20_000,
      syncCharacters: 8 * 1024 * 1024,
      timestampPastMs: 86_400_000,
      timestampFutureMs: 60_000,
      strictTokenTtlMs: 3_600_000,
    });
  });

  it("agree with each other", () => {
    expect(limits.listDefault).toBeLessThanOrEqual(limits.listMax);
    expect(limits.joinReplay).toBeLessThanOrEqual(limits.listMax);
    expect(limits.syncConversations).toBeLessThanOrEqual(limits.syncEvents);
    expect(limits.inlineGroupMembers).toBeLessThanOrEqual(limits.groupMembers);
    expect(limits.strictTokenTtlMs).toBeLessThanOrEqual(limits.compatTokenTtlMs);
  });
});

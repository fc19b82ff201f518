import { directMembers, isGroupId, isId } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { storedRuns } from "../src/load/stored-messages.ts";

const pair = ["load-s0", "load-r0"] as const;
const nowMs = 1_800_000_000_000;
const runs = [...storedRuns({ messages: 5_000, pairs: [pair] }, nowMs)].flat();
const events = runs.flatMap((run) => run.events);

describe("a stored history", () => {
  it("has as many messages as asked for, and no client message id twice", () => {
    expect(events).toHaveLength(5_000);
    expect(new Set(events.map(({ clientMessageId }) => clientMessageId)).size).toBe(5_000);
    expect(events[0]?.clientMessageId).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it("numbers every conversation from 1 without holes, later ones later", () => {
    const heads = new Map<string, { seq: number; timestamp: number }>();
    for (const run of runs) {
      expect(run.expectedHead).toBe(heads.get(run.conversation)?.seq ?? 0);
      for (const { seq, timestamp, conversation } of run.events) {
        const before = heads.get(conversation) ?? { seq: 0, timestamp: 0 };
        expect(seq).toBe(before.seq + 1);
        expect(timestamp).toBeGreaterThan(before.timestamp);
        heads.set(conversation, { seq, timestamp });
      }
    }
    expect(heads.size).toBeGreaterThan(50);
  });

  it("is written by members, who are named when a conversation begins", () => {
    for (const run of runs.filter(({ expectedHead }) => expectedHead === 0)) {
      const members = run.members?.map(({ user }) => user) ?? [];
      expect(members.length).toBeGreaterThan(1);
      for (const { sender } of run.events) expect(members).toContain(sender);
    }
  });

  it("uses ids as the wire allows them", () => {
    for (const { conversation, kind } of runs) {
      const ids =
        kind === "group" ? [isGroupId(conversation)] : (directMembers(conversation) ?? []).map(isId);
      expect(ids.length).toBeGreaterThan(0);
      expect(ids).not.toContain(false);
    }
  });

  it("holds the conversations of the load", () => {
    expect(events.some(({ sender }) => sender === pair[0] || sender === pair[1])).toBe(true);
  });
});

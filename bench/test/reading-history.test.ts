import { byteLength, isGroupId, limits } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { changedConversations, readers, readingRuns, readingShape } from "../src/load/reading-history.ts";

const shape = readingShape(100);
const commits = [...readingRuns(shape, 1_800_000_000_000)];
const runs = commits.flat();

function conversationsOf(user: string): string[] {
  const begun = runs.filter(({ members }) => members?.some((member) => member.user === user));
  return begun.map(({ conversation }) => conversation);
}

describe("the history that is read", () => {
  it("has the targets' proportions", () => {
    expect(readingShape(10_000)).toEqual({ synced: 10_000, changed: 500, listed: 50_000, long: 1_000 });
  });

  it("gives every reader the conversations asked for, each once", () => {
    const counts = [readers.syncing, readers.listing, ...readers.ofLongTexts].map(
      (user) => new Set(conversationsOf(user)).size,
    );

    expect(counts).toEqual([shape.synced, shape.listed, ...readers.ofLongTexts.map(() => shape.long)]);
    expect(conversationsOf(readers.syncing).some(isGroupId)).toBe(true);
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
    expect(heads.size).toBe(shape.synced + shape.listed + shape.long);
  });

  it("has one run for a conversation in a commit", () => {
    for (const commit of commits) {
      expect(new Set(commit.map(({ conversation }) => conversation)).size).toBe(commit.length);
    }
  });

  it("comes to every conversation when their number is a multiple of the stride", () => {
    const many = [...readingRuns({ synced: 7_919, changed: 1, listed: 1, long: 1 }, 1_800_000_000_000)];
    const begun = many.flat().filter(({ conversation }) => conversation.includes(readers.syncing));

    expect(new Set(begun.map(({ conversation }) => conversation)).size).toBe(7_919);
  });

  it("has long texts of 60 KiB that the wire would take", () => {
    const long = runs.filter(({ conversation }) => conversation.startsWith("group-long-"));

    for (const { events } of long) {
      const body = events[0]?.body ?? "";
      expect(JSON.parse(body).text).toHaveLength(60 * 1_024);
      expect(byteLength(body)).toBeLessThan(limits.payloadBytes);
    }
  });
});

describe("the conversations that change", () => {
  it("are others in the next round, until all have had their turn", () => {
    const rounds = Array.from({ length: shape.synced / shape.changed }, (_, round) =>
      changedConversations(shape, round).map(({ conversWith }) => conversWith),
    );

    expect(new Set(rounds.flat()).size).toBe(shape.synced);
    expect(rounds.every((round) => round.length === shape.changed)).toBe(true);
  });

  it("are written to by another member", () => {
    const known = new Set(conversationsOf(readers.syncing));
    for (const { conversWith, sender, recipient } of changedConversations(shape, 0)) {
      const isGroup = conversWith === recipient;
      const id = isGroup ? recipient : [sender, recipient].sort().join(".");
      expect(known).toContain(id);
      expect(recipient).toBe(isGroup ? conversWith : readers.syncing);
      expect(sender).not.toBe(readers.syncing);
    }
  });
});

import { randomUUID } from "node:crypto";
import type { MemoryDisk } from "@chat21/testkit";
import { createMemoryDisk } from "@chat21/testkit";

/** As after a restore from a backup: another epoch, and of every conversation only the first `share` of its log. */
export function restoredDisk(disk: MemoryDisk, share: number): MemoryDisk {
  const restored = createMemoryDisk(randomUUID());
  for (const [key, conversation] of disk.conversations) {
    const kept = Math.floor(conversation.events.length * share);
    if (kept === 0) continue;
    const members = [...conversation.members.values()].flatMap((member) => {
      const intervals = member.intervals.filter(([from]) => from <= kept);
      if (intervals.length === 0) return [];
      const { delivered, read, ...flags } = member.state;
      const marks = { delivered: Math.min(delivered, kept), read: Math.min(read, kept) };
      return [[member.user, { ...member, intervals, state: { ...flags, ...marks } }] as const];
    });
    restored.conversations.set(key, {
      ...conversation,
      members: new Map(members),
      events: conversation.events.slice(0, kept),
      changeNumbers: conversation.changeNumbers.slice(0, kept),
      erased: new Set([...conversation.erased].filter((seq) => seq <= kept)),
    });
  }
  for (const [id, ref] of disk.clientMessageIds) {
    const events = [...restored.conversations.values()].find(
      ({ conversation }) => conversation === ref.conversation,
    )?.events;
    if (events !== undefined && ref.seq <= events.length) restored.clientMessageIds.set(id, ref);
  }
  restored.lastChange = disk.lastChange;
  return restored;
}

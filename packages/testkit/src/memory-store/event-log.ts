import type { EventLog, EventRange, EventRecord, EventRef, Run, RunResult } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { type DiskConversation, keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";
import { canSee } from "./visibility.ts";

const freshState = { delivered: 0, read: 0, archivedAt: null, markedUnread: false, clearedAt: 0 };

function eventAt(disk: MemoryDisk, ref: EventRef | undefined): EventRecord | null {
  if (ref === undefined) return null;
  return disk.conversations.get(keyOf(ref.app, ref.conversation))?.events[ref.seq - 1] ?? null;
}

function openConversation(disk: MemoryDisk, run: Run): DiskConversation {
  const key = keyOf(run.app, run.conversation);
  const known = disk.conversations.get(key);
  if (known !== undefined) return known;
  const { app, conversation, kind, transient } = run;
  const made = { app, conversation, kind, transient, group: null, members: new Map(), events: [] };
  disk.conversations.set(key, made);
  return made;
}

/** The first event of the run whose idempotency key is taken, in the store or by an earlier event of the run. */
function findRepeat(disk: MemoryDisk, run: Run): RunResult | null {
  const ownKeys = new Map<string, EventRecord>();
  for (const [index, event] of run.events.entries()) {
    if (event.clientMessageId === null) continue;
    const key = keyOf(run.app, event.sender, event.clientMessageId);
    const existing = eventAt(disk, disk.clientMessageIds.get(key)) ?? ownKeys.get(key);
    if (existing !== undefined && existing !== null)
      return { status: "repeat", committed: 0, index, existing };
    ownKeys.set(key, event);
  }
  return null;
}

function isStored(found: DiskConversation | undefined, run: Run): boolean {
  return run.events.every((event) => found?.events[event.seq - 1]?.messageId === event.messageId);
}

function append(disk: MemoryDisk, run: Run): void {
  const found = openConversation(disk, run);
  found.kind = run.kind;
  found.transient = run.transient;
  if (run.group !== undefined) found.group = run.group;
  for (const { user, role, intervals } of run.members ?? []) {
    const state = found.members.get(user)?.state ?? freshState;
    found.members.set(user, { user, role, intervals: intervals.map(([from, to]) => [from, to]), state });
  }
  for (const event of run.events) {
    const ref = { app: event.app, conversation: event.conversation, seq: event.seq };
    found.events.push({ ...event });
    disk.undispatched.set(keyOf(ref.app, ref.conversation, ref.seq), ref);
    if (event.clientMessageId === null) continue;
    disk.clientMessageIds.set(keyOf(event.app, event.sender, event.clientMessageId), ref);
  }
}

function commitRun(disk: MemoryDisk, run: Run): RunResult {
  const found = disk.conversations.get(keyOf(run.app, run.conversation));
  if (isStored(found, run)) return { status: "committed", committed: run.events.length };
  const repeat = findRepeat(disk, run);
  if (repeat !== null) return repeat;
  if ((found?.events.length ?? 0) !== run.expectedHead) return { status: "stale", committed: 0 };
  append(disk, run);
  return { status: "committed", committed: run.events.length };
}

function readRange(disk: MemoryDisk, range: EventRange): readonly EventRecord[] {
  const found = disk.conversations.get(keyOf(range.app, range.conversation));
  if (found === undefined) return [];
  const { after = 0, before = Number.POSITIVE_INFINITY, types, visibleTo, limit } = range;
  const matching = found.events.filter(
    (event) =>
      event.seq > after &&
      event.seq < before &&
      (types === undefined || types.includes(event.type)) &&
      (visibleTo === undefined || canSee(found.members.get(visibleTo), event)),
  );
  return range.from === "newest" ? matching.slice(-limit) : matching.slice(0, limit);
}

type ErasureScope = Parameters<EventLog["erase"]>[0];

function eraseEvents(disk: MemoryDisk, { app, conversation, sender }: ErasureScope): number {
  if (conversation === undefined && sender === undefined) {
    throw new ChatError("bad_request", "erase needs a conversation or a sender");
  }
  let erased = 0;
  for (const found of disk.conversations.values()) {
    if (found.app !== app || (conversation !== undefined && found.conversation !== conversation)) continue;
    for (const [index, event] of found.events.entries()) {
      if (event.type !== "message" || (sender !== undefined && event.sender !== sender)) continue;
      const gone = { type: "erased", body: "{}", tempUid: null, listed: false } as const;
      found.events[index] = { ...event, ...gone };
      erased += 1;
    }
  }
  return erased;
}

/** The logs, and the marks that a crash loses because they wait in this process for the next commit or flush. */
export function createMemoryEventLog(disk: MemoryDisk, { write, read }: Gated): EventLog & { flush(): void } {
  const waitingMarks = new Set<string>();
  const flush = () => {
    for (const key of waitingMarks) disk.undispatched.delete(key);
    waitingMarks.clear();
  };
  return {
    flush,
    async commit(runs) {
      const results: RunResult[] = [];
      for (const run of runs) {
        const result = await write("events.commit", () => {
          flush();
          return commitRun(disk, run);
        });
        results.push(result);
      }
      return results;
    },
    read: (range) => read("events.read", () => readRange(disk, range)),
    find: (app, conversation, id) =>
      read("events.find", () => {
        const events = disk.conversations.get(keyOf(app, conversation))?.events ?? [];
        return events.findLast((event) => event.messageId === id || event.tempUid === id) ?? null;
      }),
    findByClientMessageId: (app, sender, id) =>
      read("events.findByClientMessageId", () =>
        eventAt(disk, disk.clientMessageIds.get(keyOf(app, sender, id))),
      ),
    undispatched: (limit, committedBefore, of) =>
      read("events.undispatched", () =>
        [...disk.undispatched]
          .filter(([key]) => !waitingMarks.has(key))
          .map(([, ref]) => ref)
          .filter((ref) => of === undefined || (ref.app === of.app && ref.conversation === of.conversation))
          .map((ref) => eventAt(disk, ref))
          .filter((event) => event !== null)
          .filter((event) => event.committedAt < committedBefore)
          .slice(0, limit),
      ),
    markDispatched(refs) {
      for (const ref of refs) waitingMarks.add(keyOf(ref.app, ref.conversation, ref.seq));
    },
    flushMarks: () => write("events.flushMarks", flush),
    erase: (where) => write("events.erase", () => eraseEvents(disk, where)),
  };
}

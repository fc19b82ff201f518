import type {
  Amendment,
  EventLog,
  EventRange,
  EventRecord,
  EventRef,
  MessageSearch,
  Run,
  RunResult,
} from "@chat21/engine";
import { isCommittedOutside, isVisible } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { type DiskConversation, keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";
import { putMembers } from "./members.ts";

/** Changes per step of a search. */
const searchStep = 500;

function eventAt(disk: MemoryDisk, ref: EventRef | undefined): EventRecord | null {
  if (ref === undefined) return null;
  return disk.conversations.get(keyOf(ref.app, ref.conversation))?.events[ref.seq - 1] ?? null;
}

function openConversation(disk: MemoryDisk, run: Run): DiskConversation {
  const key = keyOf(run.app, run.conversation);
  const known = disk.conversations.get(key);
  if (known !== undefined) return known;
  const { app, conversation, kind, transient } = run;
  const made: DiskConversation = {
    ...{ app, conversation, kind, transient, group: null, members: new Map() },
    ...{ events: [], changeNumbers: [], erased: new Set() },
  };
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

function requireTargets(found: DiskConversation | undefined, run: Run): void {
  for (const { seq } of run.amendments ?? []) {
    const target = found?.events[seq - 1] ?? run.events[seq - 1 - run.expectedHead];
    if (target?.type === "message") continue;
    throw new ChatError("internal", `an amendment names ${seq} of ${run.conversation}, which is no message`);
  }
}

/** Gives a message its overlay, and removes the sender's text if the amendment erases. */
export function amend(found: DiskConversation, { seq, overlay, erases }: Amendment): void {
  const event = found.events[seq - 1];
  if (event === undefined) return;
  if (erases) found.erased.add(seq);
  const gone = erases ? { body: "{}", tempUid: null, listed: false } : {};
  found.events[seq - 1] = { ...event, ...gone, overlay };
}

function append(disk: MemoryDisk, run: Run): void {
  const found = openConversation(disk, run);
  found.kind = run.kind;
  found.transient = run.transient;
  if (run.group !== undefined) found.group = run.group;
  putMembers(found, run.members ?? [], disk.lastChange + 1);
  for (const event of run.events) {
    const ref = { app: event.app, conversation: event.conversation, seq: event.seq };
    disk.lastChange += 1;
    found.events.push({ ...event, overlay: null });
    found.changeNumbers.push(disk.lastChange);
    disk.undispatched.set(keyOf(ref.app, ref.conversation, ref.seq), ref);
    if (event.clientMessageId === null) continue;
    disk.clientMessageIds.set(keyOf(event.app, event.sender, event.clientMessageId), ref);
  }
  for (const amendment of run.amendments ?? []) amend(found, amendment);
}

function commitRun(disk: MemoryDisk, run: Run): RunResult {
  const found = disk.conversations.get(keyOf(run.app, run.conversation));
  if (isStored(found, run)) return { status: "committed", committed: run.events.length };
  const repeat = findRepeat(disk, run);
  if (repeat !== null) return repeat;
  if ((found?.events.length ?? 0) !== run.expectedHead) return { status: "stale", committed: 0 };
  requireTargets(found, run);
  append(disk, run);
  return { status: "committed", committed: run.events.length };
}

/** The events whose bodies fit, beginning with the first. The first one always fits. */
function fitting(events: readonly EventRecord[], characters: number): readonly EventRecord[] {
  let left = characters;
  const end = events.findIndex(({ body }, index) => {
    left -= body.length;
    return index > 0 && left < 0;
  });
  return end < 0 ? events : events.slice(0, end);
}

function readRange(disk: MemoryDisk, range: EventRange): readonly EventRecord[] {
  const found = disk.conversations.get(keyOf(range.app, range.conversation));
  if (found === undefined) return [];
  const { after = 0, before = Number.POSITIVE_INFINITY, types, visibleTo, limit } = range;
  const viewer = visibleTo === undefined ? undefined : (found.members.get(visibleTo) ?? null);
  if (viewer === null) return [];
  const matching = found.events.filter(
    (event) =>
      event.seq > after &&
      event.seq < before &&
      (types === undefined || types.includes(event.type)) &&
      (viewer === undefined || isVisible(event, viewer)) &&
      !(range.withoutErased === true && found.erased.has(event.seq)),
  );
  const { characters = Number.POSITIVE_INFINITY } = range;
  if (range.from === "oldest") return fitting(matching.slice(0, limit), characters);
  return fitting(matching.slice(-limit).reverse(), characters).toReversed();
}

function findMessages(
  disk: MemoryDisk,
  search: MessageSearch,
): Awaited<ReturnType<EventLog["findMessages"]>> {
  const { app, conversation, sender } = search;
  if (conversation === undefined && sender === undefined) {
    throw new ChatError("bad_request", "a search for messages needs a conversation or a sender");
  }
  const from = Number(search.from ?? 1);
  const to = from + searchStep;
  const found: EventRef[] = [];
  // A search in one conversation goes by its own numbers, a search in the whole log by its change numbers.
  const one = conversation === undefined ? undefined : disk.conversations.get(keyOf(app, conversation));
  const looked = conversation === undefined ? disk.conversations.values() : one === undefined ? [] : [one];
  for (const { events, changeNumbers, erased, ...facts } of looked) {
    if (facts.app !== app) continue;
    for (const [index, event] of events.entries()) {
      const place = one === undefined ? (changeNumbers[index] ?? 0) : event.seq;
      if (place < from || place >= to || event.type !== "message" || erased.has(event.seq)) continue;
      if (sender !== undefined && event.sender !== sender) continue;
      found.push({ app, conversation: event.conversation, seq: event.seq });
    }
  }
  const last = conversation === undefined ? disk.lastChange : (one?.events.length ?? 0);
  return { found, next: to <= last ? String(to) : null };
}

const erasedBy = ({ overlay }: EventRecord) => overlay !== null && JSON.parse(overlay).deleted !== undefined;

/**
 * The logs, and the dispatch marks that wait in this process for the next commit or flush. A crash loses these marks.
 */
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
    find: (app, conversation, id, among = Number.POSITIVE_INFINITY) =>
      read("events.find", () => {
        const all = disk.conversations.get(keyOf(app, conversation))?.events ?? [];
        const events = all.slice(Math.max(0, all.length - among));
        return events.findLast((event) => event.messageId === id || event.tempUid === id) ?? null;
      }),
    findByClientMessageId: (app, sender, id) =>
      read("events.findByClientMessageId", () =>
        eventAt(disk, disk.clientMessageIds.get(keyOf(app, sender, id))),
      ),
    findMessages: (search) => read("events.findMessages", () => findMessages(disk, search)),
    rewrite: (app, conversation, bodies) =>
      write("events.rewrite", () => {
        const events = disk.conversations.get(keyOf(app, conversation))?.events ?? [];
        let replaced = 0;
        for (const { seq, body } of bodies) {
          const event = events[seq - 1];
          if (event === undefined || erasedBy(event)) continue;
          events[seq - 1] = { ...event, body };
          replaced += 1;
        }
        return replaced;
      }),
    scrub: () => write("events.scrub", () => {}),
    undispatched: (limit, committed, of) =>
      read("events.undispatched", () =>
        [...disk.undispatched]
          .filter(([key]) => !waitingMarks.has(key))
          .map(([, ref]) => ref)
          .filter((ref) => of === undefined || (ref.app === of.app && ref.conversation === of.conversation))
          .map((ref) => eventAt(disk, ref))
          .filter((event) => event !== null)
          .filter(({ committedAt }) => isCommittedOutside(committedAt, committed))
          .slice(0, limit),
      ),
    markDispatched(refs) {
      for (const ref of refs) waitingMarks.add(keyOf(ref.app, ref.conversation, ref.seq));
    },
    flushDispatchMarks: () => write("events.flushDispatchMarks", flush),
  };
}

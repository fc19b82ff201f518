import type { EventRecord, Interval, MemberRecord, Run, RunResult } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { mongo } from "mongoose";
import { earlierTargets, findUnlistedTo, requireTargets, toAmendment } from "./amendments.ts";
import type { Collections } from "./collections.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument, EventDocument, EventKey, MemberDocument } from "./documents.ts";
import { idempotencyKeyOf, toEventDocument, toEventRecord } from "./event-codec.ts";
import { stampNow } from "./logical-time.ts";

/** The stored state that the runs touch, in the transaction's snapshot. */
interface Before {
  /** The events at the runs' numbers, and those that the runs amend. */
  readonly events: ReadonlyMap<string, Pick<EventDocument, "names" | "type">>;
  readonly holders: ReadonlyMap<string, EventDocument>;
  readonly conversations: ReadonlyMap<string, ConversationDocument>;
  readonly members: ReadonlyMap<string, Pick<MemberDocument, "changes" | "intervals">>;
}

const joined = (...names: readonly (string | number)[]) => names.join("\n");
const nameOfRun = ({ app, conversation }: Run) => joined(app, conversation);
const nameOfEvent = ({ app, conversation, seq }: EventKey) => joined(app, conversation, seq);
const keyOfRun = ({ app, conversation }: Run) => ({ app, conversation });

function nameOfKey(event: EventRecord): string | null {
  const { app, sender, clientMessageId } = event;
  return clientMessageId === null ? null : joined(app, sender, clientMessageId);
}

async function readBefore(
  { conversations, events, members }: Collections,
  runs: readonly Run[],
  session: mongo.ClientSession,
): Promise<Before> {
  const numbers = runs.flatMap((run) => {
    const { app, conversation, expectedHead, events: own } = run;
    const seqs = [...own.keys(), own.length].map((index) => expectedHead + index);
    return [...new Set([...seqs, ...earlierTargets(run)])].map((seq) => ({ app, conversation, seq }));
  });
  const keys = runs.flatMap(({ events: own }) => own.map(idempotencyKeyOf).filter((key) => key !== null));
  const rows = runs.flatMap(({ app, conversation, members: changed = [] }) =>
    changed.map(({ user }) => ({ app, conversation, user })),
  );
  // One session answers one question at a time.
  const stored = await events
    .find({ _id: { $in: numbers } }, { projection: { names: 1, type: 1 }, session })
    .toArray();
  const holders = keys.length === 0 ? [] : await events.find({ key: { $in: keys } }, { session }).toArray();
  const known = await conversations.find({ _id: { $in: runs.map(keyOfRun) } }, { session }).toArray();
  const seated =
    rows.length === 0
      ? []
      : await members
          .find({ _id: { $in: rows } }, { projection: { intervals: 1, changes: 1 }, session })
          .toArray();
  return {
    events: new Map(stored.map((event) => [nameOfEvent(event._id), event])),
    holders: new Map(holders.map((found) => [joined(...Object.values(found.key ?? {})), found])),
    conversations: new Map(known.map((found) => [joined(found._id.app, found._id.conversation), found])),
    members: new Map(
      seated.map((member) => [joined(member._id.app, member._id.conversation, member._id.user), member]),
    ),
  };
}

function findRepeat(run: Run, before: Before): RunResult | null {
  const own = new Map<string, EventRecord>();
  for (const [index, event] of run.events.entries()) {
    const name = nameOfKey(event);
    if (name === null) continue;
    const holder = before.holders.get(name);
    const existing = holder === undefined ? own.get(name) : toEventRecord(holder);
    if (existing !== undefined) return { status: "repeat", committed: 0, index, existing };
    own.set(name, event);
  }
  return null;
}

/** `null`: the run may be stored. */
function refusalOf(run: Run, before: Before): RunResult | null {
  const { app, conversation, expectedHead, events } = run;
  if (events.length === 0) throw new ChatError("internal", "a run needs at least one event");
  const at = (seq: number) => before.events.get(nameOfEvent({ app, conversation, seq }));
  if (events.every(({ seq, messageId }) => at(seq)?.names[0] === messageId)) {
    return { status: "committed", committed: events.length };
  }
  const repeat = findRepeat(run, before);
  if (repeat !== null) return repeat;
  const isAtHead =
    (expectedHead === 0 || at(expectedHead) !== undefined) && at(expectedHead + 1) === undefined;
  if (!isAtHead) return { status: "stale", committed: 0 };
  requireTargets(run, (seq) => at(seq)?.type);
  return null;
}

function memberBefore({ app, conversation }: Run, user: string, { members }: Before) {
  return members.get(joined(app, conversation, user));
}

function newMembersOf(run: Run, before: Before): readonly MemberRecord[] {
  return (run.members ?? []).filter(({ user }) => memberBefore(run, user, before) === undefined);
}

/** Whether the intervals stay the same, except that the last one may end: no earlier number comes into sight. */
function onlyEnds(before: readonly Interval[], now: readonly Interval[]): boolean {
  if (before.length !== now.length) return false;
  return now.every(([from, to], index) => {
    const [oldFrom, oldTo] = before[index] as Interval;
    return oldFrom === from && (oldTo === to || (index === now.length - 1 && oldTo === null));
  });
}

function putConversation(run: Run, before: Before): mongo.AnyBulkWriteOperation<ConversationDocument> {
  const { kind, transient, group, expectedHead, events } = run;
  return {
    updateOne: {
      filter: { _id: keyOfRun(run) },
      update: {
        $set: { kind, transient, ...(group === undefined ? {} : { group }) },
        $max: { head: expectedHead + events.length, lastTimestamp: events.at(-1)?.timestamp ?? 0 },
        $inc: { memberCount: newMembersOf(run, before).length },
        $currentDate: stampNow,
        ...(group === undefined ? { $setOnInsert: { group: null } } : {}),
      },
      upsert: true,
    },
  };
}

function putMembers(run: Run, before: Before): mongo.AnyBulkWriteOperation<MemberDocument>[] {
  const { app, conversation, members = [] } = run;
  const fresh = newMembersOf(run, before);
  const count = before.conversations.get(nameOfRun(run))?.memberCount ?? 0;
  const place = { delivered: 0, read: 0, archivedAt: null, markedUnread: false, clearedAt: 0 };
  return members.map((member) => {
    const { user, role, intervals } = member;
    const old = memberBefore(run, user, before);
    const ordinal = count + fresh.indexOf(member) + 1;
    const made = { conversation: { app, conversation }, account: { app, user }, ordinal, ...place };
    const isWider = old === undefined || !onlyEnds(old.intervals, intervals);
    const wider = isWider ? { "widened.changes": (old?.changes ?? 0) + 1 } : {};
    return {
      updateOne: {
        filter: { _id: { app, conversation, user } },
        update: {
          $set: { role, intervals, ...wider },
          $inc: { changes: 1 },
          $currentDate: { ...stampNow, ...(isWider ? { "widened.at": stampNow.changedAt } : {}) },
          ...(old === undefined ? { $setOnInsert: made } : {}),
        },
        upsert: old === undefined,
      },
    };
  });
}

/** Writes amended messages, those of the run itself included, and the number up to which no event is listed. */
async function putAmendments(
  { collections, queryTimeoutMs: maxTimeMS }: Database,
  run: Run,
  before: Before,
  session: mongo.ClientSession,
): Promise<void> {
  const { amendments = [] } = run;
  if (amendments.length === 0) return;
  const key = keyOfRun(run);
  await collections.events.bulkWrite(
    amendments.map((amendment) => toAmendment(key, amendment)),
    { session },
  );
  const known = before.conversations.get(nameOfRun(run))?.unlistedTo ?? 0;
  const options = { session, maxTimeMS };
  const unlistedTo = await findUnlistedTo(collections, { ...key, from: known }, amendments, options);
  if (unlistedTo > known) {
    await collections.conversations.updateOne({ _id: key }, { $set: { unlistedTo } }, { session });
  }
}

async function store(
  database: Database,
  runs: readonly Run[],
  before: Before,
  writer: number | null,
  session: mongo.ClientSession,
): Promise<void> {
  if (runs.length === 0) return;
  const { conversations, events, members } = database.collections;
  await events.insertMany(
    runs.flatMap((run) => run.events.map((event) => toEventDocument(event, writer))),
    { session },
  );
  await conversations.bulkWrite(
    runs.map((run) => putConversation(run, before)),
    { session },
  );
  const rows = runs.flatMap((run) => putMembers(run, before));
  if (rows.length > 0) await members.bulkWrite(rows, { session });
  for (const run of runs) await putAmendments(database, run, before, session);
}

/** A transaction's result for one run. `isNew`: this transaction stored the run. */
export interface TransactionResult {
  readonly result: RunResult;
  readonly isNew: boolean;
}

/**
 * Stores runs and their changes beside the log, all in one transaction; may refuse single runs. `forMs` is that of
 * `Database.transaction`.
 */
export function commitInTransaction(
  database: Database,
  runs: readonly Run[],
  writer: number | null,
  forMs?: number,
): Promise<TransactionResult[]> {
  return database.transaction(async (session) => {
    const before = await readBefore(database.collections, runs, session);
    const refusals = runs.map((run) => refusalOf(run, before));
    await store(
      database,
      runs.filter((_, index) => refusals[index] === null),
      before,
      writer,
      session,
    );
    return runs.map((run, index) => {
      const refusal = refusals[index] ?? null;
      const result = refusal ?? { status: "committed", committed: run.events.length };
      return { result, isNew: refusal === null };
    });
  }, forMs);
}

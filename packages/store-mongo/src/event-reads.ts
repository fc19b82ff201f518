import { type EventLog, type EventRange, type EventRecord, isCommittedOutside } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import { markEventsOfDeadWriters } from "./dead-writers.ts";
import type { DispatchCursor } from "./dispatch-cursor.ts";
import type { DispatchMarks } from "./dispatch-marks.ts";
import type { EventDocument } from "./documents.ts";
import { toEventRecord } from "./event-codec.ts";
import { clip } from "./spans.ts";

/** Events that the server sends in one batch. The last batch of a page may not fit; then it is read in vain. */
const batchSize = 100;

/** The room that is left for reading. */
interface Room {
  characters: number;
}

type EventReads = Pick<EventLog, "find" | "findByClientMessageId" | "read" | "undispatched">;

function filterOf(range: EventRange, from: number, to: number): mongo.Filter<EventDocument> {
  const { app, conversation, types, visibleTo, withoutErased = false } = range;
  return {
    _id: { $gte: { app, conversation, seq: from }, $lte: { app, conversation, seq: to } },
    ...(types === undefined ? {} : { type: { $in: types } }),
    ...(visibleTo === undefined ? {} : { hiddenFor: { $ne: visibleTo } }),
    ...(withoutErased ? { erased: { $ne: true } } : {}),
  };
}

/** Reads of the log. */
export function createEventReads(
  database: Database,
  marks: DispatchMarks,
  cursor: DispatchCursor | null,
): EventReads {
  const { events, members } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function spansOf(range: EventRange): Promise<readonly (readonly [number, number])[]> {
    const first = (range.after ?? 0) + 1;
    const last = Math.min(range.before ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) - 1;
    if (range.visibleTo === undefined) return first <= last ? [[first, last]] : [];
    const { app, conversation, visibleTo: user } = range;
    const options = { maxTimeMS, projection: { intervals: 1 } };
    const member = await members.findOne({ _id: { app, conversation, user } }, options);
    return clip(member?.intervals ?? [], first, last);
  }

  /** The events of one stretch that fit. `isFull`: no room or no number is left for another stretch. */
  async function readSpan(range: EventRange, from: number, to: number, found: EventDocument[], room: Room) {
    const cursor = events
      .find(filterOf(range, from, to), { maxTimeMS, batchSize: Math.min(batchSize, range.limit) })
      .sort({ _id: range.from === "newest" ? -1 : 1 })
      .limit(range.limit - found.length);
    for await (const event of cursor) {
      room.characters -= event.body.length;
      if (room.characters < 0 && found.length > 0) return { isFull: true };
      found.push(event);
    }
    return { isFull: found.length >= range.limit };
  }

  async function readRange(range: EventRange): Promise<EventRecord[]> {
    const isNewest = range.from === "newest";
    const spans = await spansOf(range);
    const found: EventDocument[] = [];
    const room = { characters: range.characters ?? Number.POSITIVE_INFINITY };
    for (const [from, to] of isNewest ? spans.toReversed() : spans) {
      const { isFull } = await readSpan(range, from, to, found, room);
      if (isFull) break;
    }
    return (isNewest ? found.reverse() : found).map(toEventRecord);
  }

  return {
    read: (range) => database.call(() => readRange(range)),
    find: (app, conversation, id) =>
      database.call(async () => {
        const found = await events.findOne(
          { "_id.app": app, "_id.conversation": conversation, names: id },
          { maxTimeMS, sort: { "_id.seq": -1 }, hint: "names" },
        );
        return found === null ? null : toEventRecord(found);
      }),
    findByClientMessageId: (app, sender, id) =>
      database.call(async () => {
        const found = await events.findOne({ key: { app, sender, id } }, { maxTimeMS });
        return found === null ? null : toEventRecord(found);
      }),
    undispatched: (limit, committed, of) =>
      database.call(async () => {
        await Promise.all([
          cursor?.mark(({ committedAt }) => isCommittedOutside(committedAt, committed)),
          markEventsOfDeadWriters(database),
        ]);
        await marks.flush();
        const when =
          typeof committed === "number"
            ? { committedAt: { $lt: committed } }
            : {
                $or: [{ committedAt: { $lt: committed.before } }, { committedAt: { $gt: committed.after } }],
              };
        const one = of === undefined ? {} : { "_id.app": of.app, "_id.conversation": of.conversation };
        const found = await events
          .find({ undispatched: { $exists: true }, ...one, ...when }, { maxTimeMS, hint: "undispatched_of" })
          .sort({ undispatched: 1 })
          .limit(limit)
          .toArray();
        return found.map(toEventRecord);
      }),
  };
}

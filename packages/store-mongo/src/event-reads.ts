import type { EventLog, EventRange, EventRecord } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { DispatchMarks } from "./dispatch-marks.ts";
import type { EventDocument } from "./documents.ts";
import { toEventRecord } from "./event-codec.ts";
import { clip } from "./spans.ts";

type EventReads = Pick<EventLog, "find" | "findByClientMessageId" | "read" | "undispatched">;

function filterOf(range: EventRange, from: number, to: number): mongo.Filter<EventDocument> {
  const { app, conversation, types, visibleTo } = range;
  return {
    _id: { $gte: { app, conversation, seq: from }, $lte: { app, conversation, seq: to } },
    ...(types === undefined ? {} : { type: { $in: types } }),
    ...(visibleTo === undefined ? {} : { hiddenFor: { $ne: visibleTo } }),
  };
}

/** Reads of the log. */
export function createEventReads(database: Database, marks: DispatchMarks): EventReads {
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

  async function readRange(range: EventRange): Promise<EventRecord[]> {
    const isNewest = range.from === "newest";
    const spans = await spansOf(range);
    const found: EventDocument[] = [];
    for (const [from, to] of isNewest ? spans.toReversed() : spans) {
      if (found.length >= range.limit) break;
      const page = await events
        .find(filterOf(range, from, to), { maxTimeMS })
        .sort({ _id: isNewest ? -1 : 1 })
        .limit(range.limit - found.length)
        .toArray();
      found.push(...page);
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
    undispatched: (limit, committedBefore, of) =>
      database.call(async () => {
        await marks.flush();
        const one = of === undefined ? {} : { "_id.app": of.app, "_id.conversation": of.conversation };
        const found = await events
          .find(
            { undispatched: { $exists: true }, ...one, committedAt: { $lt: committedBefore } },
            { maxTimeMS, hint: "undispatched_of" },
          )
          .sort({ undispatched: 1 })
          .limit(limit)
          .toArray();
        return found.map(toEventRecord);
      }),
  };
}

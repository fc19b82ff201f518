import { withShortText } from "@chat21/engine";
import { limits } from "@chat21/protocol";
import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { EventDocument, EventKey } from "./documents.ts";

type Session = mongo.ClientSession;

/** Documents that the server sends at once. */
const batchSize = 2_000;

/** One more than lists show: of a pair that is cut in two, the first half goes as well. */
const textCharacters = limits.listTextCharacters + 1;

/** A longer body is read apart, a few at a time, where only the beginning of its text is wanted. */
const longBodyBytes = 8 * 1_024;

const longBodiesAtOnce = 8;

/** Leaves a long body out. */
const withoutLongBody = {
  $set: { body: { $cond: [{ $gt: [{ $strLenBytes: "$body" }, longBodyBytes] }, null, "$body"] } },
};

/** Reads of messages by their keys; all inside the caller's snapshot. */
export function createMessageReads({ collections: { events }, queryTimeoutMs: maxTimeMS }: Database) {
  async function read(ids: readonly EventKey[], session: Session): Promise<EventDocument[]> {
    if (ids.length === 0) return [];
    return events.find({ _id: { $in: [...ids] } }, { session, maxTimeMS, batchSize }).toArray();
  }

  /** Of a list, which shows the beginning of a text only: of a thousand long messages a few are in memory at a time. */
  async function readForList(ids: readonly EventKey[], session: Session): Promise<EventDocument[]> {
    if (ids.length === 0) return [];
    const found = await events
      .aggregate<Omit<EventDocument, "body"> & { readonly body: string | null }>(
        [{ $match: { _id: { $in: ids } } }, withoutLongBody],
        { session, maxTimeMS, batchSize },
      )
      .toArray();
    const messages = found.filter((event): event is EventDocument => event.body !== null);
    const long = found.flatMap(({ _id, body }) => (body === null ? [_id] : []));
    for (const chunk of chunksOf(long, longBodiesAtOnce)) {
      for (const event of await read(chunk, session)) {
        messages.push({ ...event, body: withShortText(event.body, textCharacters) });
      }
    }
    return messages;
  }

  return { read, readForList };
}

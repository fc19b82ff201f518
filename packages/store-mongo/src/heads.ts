import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument } from "./documents.ts";
import { inParallel } from "./in-parallel.ts";
import { conversationName } from "./key-names.ts";

/** How many conversations are asked for in one query. */
const pageSize = 1_000;

/**
 * The documents with the heads of their logs. A document's head may lag behind its log, when its process died or has
 * not written it yet. Numbers have no holes: one look for the number after each head finds the documents that lag, and
 * only those are looked up.
 */
export async function withTrueHeads(
  { collections, queryTimeoutMs }: Database,
  found: readonly ConversationDocument[],
  session: mongo.ClientSession,
): Promise<ConversationDocument[]> {
  const { events } = collections;
  const options = { session, maxTimeMS: queryTimeoutMs };
  const lagging = new Set<string>();
  for (const chunk of chunksOf(found, pageSize)) {
    const next = chunk.map(({ _id, head }) => ({ ..._id, seq: head + 1 }));
    const beyond = await events
      .find({ _id: { $in: next } }, { ...options, projection: { _id: 1 } })
      .toArray();
    for (const { _id } of beyond) lagging.add(conversationName(_id));
  }
  return inParallel(found, async (document) => {
    const { _id, head } = document;
    if (!lagging.has(conversationName(_id))) return document;
    const last = await events.findOne(
      { _id: { $gt: { ..._id, seq: head }, $lte: { ..._id, seq: Number.MAX_SAFE_INTEGER } } },
      { ...options, sort: { _id: -1 }, projection: { timestamp: 1 } },
    );
    if (last === null) return document;
    return { ...document, head: last._id.seq, lastTimestamp: last.timestamp };
  });
}

import type { ConversationOverlays, OverlayStore } from "@chat21/engine";
import mongoose from "mongoose";
import { toAmendment } from "./amendments.ts";
import type { ConversationReads } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { ConversationKey, EventKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";
import { stepsOf } from "./log-steps.ts";
import { stampNow } from "./logical-time.ts";

const { MaxKey } = mongoose.mongo;

const firstOf = ({ app, conversation }: ConversationKey): EventKey => ({ app, conversation, seq: 0 });
const lastOf = ({ app, conversation }: ConversationKey): EventKey => ({
  ...{ app, conversation },
  seq: new MaxKey() as never,
});
/** Maintenance of overlays: it scans the log, step by step. */
export function createOverlays(database: Database, reads: ConversationReads): OverlayStore {
  const { collections } = database;
  const { conversations, events } = collections;
  const maxTimeMS = database.queryTimeoutMs;

  /** In the order of the log. */
  async function findAmended(types: readonly string[], limit: number, after: ConversationKey | undefined) {
    const found = new Map<string, ConversationKey>();
    const start = after === undefined ? {} : { after: lastOf(after) };
    for await (const step of stepsOf(collections, { ...start, maxTimeMS })) {
      const which = { $or: [{ overlay: { $exists: true } }, { type: { $in: [...types] } }] };
      const cursor = events
        .find({ ...step, ...which }, { projection: { _id: 1 }, maxTimeMS, hint: "_id_" })
        .sort({ _id: 1 });
      for await (const { _id } of cursor) {
        const { app, conversation } = _id;
        found.set(conversationName(_id), { app, conversation });
        if (found.size > limit) return [...found.values()].slice(0, limit);
      }
    }
    return [...found.values()];
  }

  function readOverlays(key: ConversationKey): Promise<ConversationOverlays> {
    return database.snapshot(async (session) => {
      const document = (await reads.documents([key], session)).get(conversationName(key));
      const cursor = events
        .find(
          { _id: { $gte: firstOf(key), $lte: lastOf(key) }, overlay: { $exists: true } },
          { session, maxTimeMS, projection: { overlay: 1 }, hint: "_id_" },
        )
        .sort({ _id: 1 });
      const overlays = [];
      for await (const { _id, overlay = "" } of cursor) overlays.push({ seq: _id.seq, overlay });
      return { ...key, head: document?.head ?? 0, overlays };
    });
  }

  const replace: OverlayStore["replace"] = ({ app, conversation, expectedHead }, overlays) =>
    database.transaction(async (session) => {
      const key = { app, conversation };
      const at = { projection: { _id: 1 }, sort: { _id: -1 }, session, maxTimeMS } as const;
      const range = { $gte: firstOf(key), $lte: lastOf(key) };
      const head = await events.findOne({ _id: range }, at);
      if (head === null || head._id.seq !== expectedHead) return false;
      // Commits with amendments write the conversation's document, too: of two at the same time, one starts anew.
      await conversations.updateOne({ _id: key }, { $currentDate: stampNow }, { session });
      await events.updateMany(
        { _id: range, overlay: { $exists: true } },
        { $unset: { overlay: "" } },
        { session, hint: "_id_" },
      );
      const amendments = overlays.map((amendment) => toAmendment(key, amendment));
      if (amendments.length > 0) await events.bulkWrite(amendments, { session });
      return true;
    });

  return {
    amended: (types, limit, after) =>
      database.call(async () => {
        const pages: ConversationOverlays[] = [];
        for (const key of await findAmended(types, limit, after)) pages.push(await readOverlays(key));
        return pages;
      }),
    replace: (conversation, overlays) => database.call(() => replace(conversation, overlays)),
  };
}

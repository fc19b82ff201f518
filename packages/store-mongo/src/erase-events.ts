import type { EventLog } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import mongoose from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationKey, EventDocument } from "./documents.ts";

/** So many events are erased by one write. */
const eventsPerWrite = 500;

/** The app's log is walked by neighbouring conversations, so many at a time: no query looks at all of it. */
const conversationsPerWalk = 100;

const { MaxKey } = mongoose.mongo;

/** What is erased. */
type Scope = Parameters<EventLog["erase"]>[0];

/** `EventLog.erase`: in small writes, each of which may be repeated. */
export function createErase(database: Database): EventLog["erase"] {
  const { conversations, events } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function eraseBetween(first: ConversationKey, last: ConversationKey, sender: string | undefined) {
    const bounds = { $gte: { ...first, seq: 0 }, $lte: { ...last, seq: Number.MAX_SAFE_INTEGER } };
    const who = sender === undefined ? {} : { sender };
    let erased = 0;
    for (;;) {
      const found = await events
        .find({ _id: bounds, type: "message", ...who }, { projection: { _id: 1 }, maxTimeMS, hint: "_id_" })
        .limit(eventsPerWrite)
        .toArray();
      if (found.length === 0) return erased;
      const { modifiedCount } = await events.updateMany(
        { _id: { $in: found.map(({ _id }: Pick<EventDocument, "_id">) => _id) }, type: "message" },
        [{ $set: { type: "erased", body: "{}", listed: false, names: { $slice: ["$names", 1] } } }],
      );
      erased += modifiedCount;
    }
  }

  async function eraseConversation(key: ConversationKey, sender: string | undefined): Promise<number> {
    const last = await events.findOne(
      { _id: { $gte: { ...key, seq: 0 }, $lte: { ...key, seq: Number.MAX_SAFE_INTEGER } } },
      { projection: { _id: 1 }, sort: { _id: -1 }, maxTimeMS },
    );
    if (last === null) return 0;
    const erased = await eraseBetween(key, key, sender);
    // What came in meanwhile is erased as well, and may be looked at in vain.
    if (sender === undefined) {
      await conversations.updateOne({ _id: key }, { $max: { unlistedTo: last._id.seq } });
    }
    return erased;
  }

  async function eraseEverywhere(app: string, sender: string): Promise<number> {
    let erased = 0;
    let after: ConversationKey = { app, conversation: "" };
    for (;;) {
      const page = await conversations
        .find(
          { _id: { $gt: after, $lt: { app, conversation: new MaxKey() } as never } },
          { projection: { _id: 1 }, maxTimeMS },
        )
        .sort({ _id: 1 })
        .limit(conversationsPerWalk)
        .toArray();
      const [first, last] = [page[0], page.at(-1)];
      if (first === undefined || last === undefined) return erased;
      erased += await eraseBetween(first._id, last._id, sender);
      after = last._id;
    }
  }

  return ({ app, conversation, sender }: Scope) =>
    database.call(async () => {
      if (conversation !== undefined) return eraseConversation({ app, conversation }, sender);
      if (sender !== undefined) return eraseEverywhere(app, sender);
      throw new ChatError("bad_request", "erase needs a conversation or a sender");
    });
}

import type { EventLog, EventRef, MessageSearch } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import mongoose from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationKey, EventDocument } from "./documents.ts";

/** Events that one step looks at. */
const eventsPerStep = 500;

/** Neighbouring conversations in which one step looks for a sender's messages. */
const conversationsPerStep = 100;

const { MaxKey } = mongoose.mongo;

/** The place where a search goes on: after this number of the conversation. */
interface Place {
  readonly conversation: string;
  readonly seq: number;
}

type Step = Awaited<ReturnType<EventLog["findMessages"]>>;
type Found = Pick<EventDocument, "_id" | "erased" | "type">;

const projection = { type: 1, erased: 1 } as const;

/** No event has a number after this one. */
const end = Number.MAX_SAFE_INTEGER;

const toText = ({ conversation, seq }: Place) => `${seq}/${conversation}`;

function toPlace(text: string): Place {
  const [, seq, conversation = ""] = /^(\d{1,16})\/(.*)$/s.exec(text) ?? [];
  if (seq !== undefined) return { seq: Number(seq), conversation };
  throw new ChatError("bad_request", "a search for messages goes on at a place that an earlier answer named");
}

function toRefs(found: readonly Found[]): EventRef[] {
  return found
    .filter(({ type, erased }) => type === "message" && erased !== true)
    .map(({ _id: { app, conversation, seq } }) => ({ app, conversation, seq }));
}

/** `EventLog.findMessages`. */
export function createMessageSearch(database: Database): EventLog["findMessages"] {
  const { conversations, events } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  /** By the index of the log: events of all senders. */
  function eventsBehind({ app, conversation, seq }: ConversationKey & Place): Promise<Found[]> {
    const bounds = { $gt: { app, conversation, seq }, $lte: { app, conversation, seq: end } };
    return events
      .find({ _id: bounds }, { projection, maxTimeMS, batchSize: eventsPerStep })
      .sort({ _id: 1 })
      .limit(eventsPerStep)
      .toArray();
  }

  /** By the index of senders. */
  function eventsOf(app: string, sender: string, names: readonly string[], seq: number): Promise<Found[]> {
    return events
      .find(
        {
          "_id.app": app,
          "_id.conversation": { $in: [...names] },
          sender,
          "_id.seq": { $gt: seq },
        },
        { projection, maxTimeMS, hint: "senders", batchSize: eventsPerStep },
      )
      .sort({ "_id.app": 1, "_id.conversation": 1, sender: 1, "_id.seq": 1 })
      .limit(eventsPerStep)
      .toArray();
  }

  async function namesBehind(app: string, conversation: string): Promise<string[]> {
    const bounds = { $gt: { app, conversation }, $lt: { app, conversation: new MaxKey() } as never };
    const page = await conversations
      .find({ _id: bounds }, { projection: { _id: 1 }, maxTimeMS })
      .sort({ _id: 1 })
      .limit(conversationsPerStep)
      .toArray();
    return page.map(({ _id }) => _id.conversation);
  }

  async function inConversation(app: string, place: Place, sender: string | undefined): Promise<Step> {
    const { conversation, seq } = place;
    const found =
      sender === undefined
        ? await eventsBehind({ app, ...place })
        : await eventsOf(app, sender, [conversation], seq);
    const last = found.length < eventsPerStep ? undefined : found.at(-1)?._id;
    return { found: toRefs(found), next: last === undefined ? null : toText(last) };
  }

  async function everywhere(app: string, sender: string, place: Place): Promise<Step> {
    if (place.seq < end) {
      const step = await inConversation(app, place, sender);
      return { found: step.found, next: step.next ?? toText({ ...place, seq: end }) };
    }
    const names = await namesBehind(app, place.conversation);
    const found = names.length === 0 ? [] : await eventsOf(app, sender, names, 0);
    const last = found.at(-1)?._id;
    if (found.length === eventsPerStep && last !== undefined)
      return { found: toRefs(found), next: toText(last) };
    const conversation = names.at(-1) ?? "";
    const isEnd = names.length < conversationsPerStep;
    return { found: toRefs(found), next: isEnd ? null : toText({ conversation, seq: end }) };
  }

  return ({ app, conversation, sender, from }: MessageSearch) =>
    database.call(async () => {
      const place = from === undefined ? undefined : toPlace(from);
      if (conversation !== undefined) {
        return inConversation(app, { conversation, seq: place?.seq ?? 0 }, sender);
      }
      if (sender !== undefined) return everywhere(app, sender, place ?? { conversation: "", seq: end });
      throw new ChatError("bad_request", "a search for messages needs a conversation or a sender");
    });
}

import { looksLikeGroupId } from "@chat21/protocol";
import { expect } from "vitest";
import type { OriginalChat21 } from "./original-chat21.ts";
import type { RestOfStore } from "./rest-of-store.ts";

type Document = Record<string, unknown>;

/** What only one of the two servers has: names of documents, numbers, and a leaked field. */
const incomparable = ["_id", "seq", "epoch", "temp_field_chat_topic", "__history"];

function without(document: Document, keys: readonly string[]): Document {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}

/** Watermarks: what was received lets everything before it be received as well, and groups have no receipts. */
function withWatermarks(newestFirst: readonly Document[]): Document[] {
  const reached = new Map<unknown, number>();
  return newestFirst.map((message) => {
    const { sender, recipient } = message;
    const isGroup = looksLikeGroupId(String(recipient));
    const status = isGroup || sender === recipient ? 150 : Number(message["status"]);
    const best = Math.max(status, reached.get(sender) ?? 0);
    if (best >= 200) reached.set(sender, best);
    return { ...message, status: best };
  });
}

function comparable(message: Document): Document {
  // A copy that was replayed to a joiner had its attributes changed on the way.
  return without(message, [...incomparable, ...(message["__history"] === undefined ? [] : ["attributes"])]);
}

async function resultOf(rest: RestOfStore, user: string, path: string): Promise<Document[]> {
  const { status, body } = await rest.as(user).get(`tilechat/${user}/${path}`);
  expect({ user, path, status }).toEqual({ user, path, status: 200 });
  return body.result;
}

async function compareMessages(original: OriginalChat21, rest: RestOfStore, user: string): Promise<number> {
  const partners = await original.collection("messages").distinct("conversWith", { timelineOf: user });
  let compared = 0;
  for (const partner of partners) {
    const theirs = withWatermarks(await original.listMessages(user, partner));
    const ours = await resultOf(rest, user, `conversations/${partner}/messages`);
    const keysOf = (messages: readonly Document[]) => messages.map(({ message_id: id }) => id);
    expect({ user, partner, ids: keysOf(ours) }).toEqual({ user, partner, ids: keysOf(theirs) });
    for (const [index, message] of theirs.entries()) {
      const expected = comparable(message);
      const found = Object.fromEntries(Object.entries(ours[index] ?? {}).filter(([key]) => key in expected));
      expect(found).toEqual(expected);
      compared += 1;
    }
  }
  return compared;
}

async function compareLists(original: OriginalChat21, rest: RestOfStore, user: string): Promise<number> {
  let compared = 0;
  for (const archived of [false, true]) {
    const theirs = await original.listConversations(user, archived);
    const ours = await resultOf(rest, user, archived ? "conversations/archived" : "conversations");
    const view = (entries: readonly Document[]) =>
      entries.map(
        ({ conversWith, message_id, timestamp, is_new, archived: isArchived, last_message_text, key }) => ({
          conversWith,
          message_id,
          timestamp,
          is_new,
          isArchived,
          last_message_text,
          key,
        }),
      );
    expect({ user, archived, entries: view(ours) }).toEqual({ user, archived, entries: view(theirs) });
    compared += theirs.length;
  }
  return compared;
}

/** Compares every answer of REST, for everybody. Answers how many messages and entries there were. */
export async function expectSameAnswers(
  original: OriginalChat21,
  rest: RestOfStore,
): Promise<{ readonly messages: number; readonly entries: number }> {
  let [messages, entries] = [0, 0];
  for (const user of await original.everybody()) {
    // Nobody signs in as `system`.
    if (user === "system") continue;
    messages += await compareMessages(original, rest, user);
    entries += await compareLists(original, rest, user);
  }
  for (const uid of await original.collection("groups").distinct("uid")) {
    const { body } = await rest.as("backend", "admin").get(`tilechat/groups/${uid}`);
    expect(without(body.result, ["_id"])).toEqual(without((await original.getGroup(uid)) ?? {}, ["_id"]));
  }
  return { messages, entries };
}

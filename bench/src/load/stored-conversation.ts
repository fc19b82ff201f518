import type { EventRecord, MemberRecord, Run } from "@chat21/engine";
import { directConversationId, directMembers } from "@chat21/protocol";
import { app } from "../targets/target.ts";
import { type Random, ulid, uuid } from "./random-ids.ts";

/** A conversation whose history is being made. */
export interface StoredConversation {
  readonly id: string;
  readonly members: readonly string[];
  head: number;
  lastTimestamp: number;
}

const words =
  "the order has left our house and should be with you on Monday thank you for the quick answer".split(" ");

/** A direct conversation of two, without a message. */
export function directConversation(members: readonly [string, string]): StoredConversation {
  return { id: directConversationId(...members), members, head: 0, lastTimestamp: 0 };
}

/** A group, without a message. The first member owns it. */
export function groupConversation(id: string, members: readonly string[]): StoredConversation {
  return { id, members, head: 0, lastTimestamp: 0 };
}

/** Some words, as many as asked for. */
export function someText(wordCount: number, random: Random): string {
  return Array.from({ length: wordCount }, () => words[Math.floor(random() * words.length)]).join(" ");
}

/** The conversation's next message: with 3-27 words, of any member, unless a text is given. */
export function nextMessage(
  conversation: StoredConversation,
  timeMs: number,
  random: Random,
  text = someText(3 + Math.floor(random() * 25), random),
): EventRecord {
  const { id, members } = conversation;
  const sender = members[Math.floor(random() * members.length)] as string;
  const clientMessageId = ulid(timeMs, random);
  conversation.head++;
  conversation.lastTimestamp = Math.max(timeMs, conversation.lastTimestamp + 1);
  return {
    app,
    conversation: id,
    seq: conversation.head,
    type: "message",
    sender,
    clientMessageId,
    messageId: uuid(random),
    timestamp: conversation.lastTimestamp,
    committedAt: timeMs,
    body: JSON.stringify({
      text,
      type: "text",
      sender_fullname: sender,
      attributes: { lang: "en" },
      channel_type: directMembers(id) === null ? "group" : "direct",
      client_message_id: clientMessageId,
    }),
    tempUid: null,
    hiddenFor: null,
    listed: true,
    overlay: null,
  };
}

/** The run that stores the conversation's newest messages; its first one names the members. */
export function toRun({ id, members, head }: StoredConversation, events: readonly EventRecord[]): Run {
  const kind = directMembers(id) === null ? "group" : "direct";
  const run = {
    app,
    conversation: id,
    expectedHead: head - events.length,
    events,
    kind,
    transient: false,
  } as const;
  if (run.expectedHead > 0) return run;
  const group = {
    name: id,
    owner: members[0] as string,
    createdOn: events[0]?.committedAt ?? 0,
    updatedOn: events[0]?.committedAt ?? 0,
    attributes: null,
  };
  return {
    ...run,
    members: members.map((user, index) => fromTheStart(user, kind === "group" && index === 0)),
    ...(kind === "group" ? { group } : {}),
  };
}

function fromTheStart(user: string, owns: boolean): MemberRecord {
  return { user, role: owns ? "owner" : "member", intervals: [[1, null]] };
}

import type { EventRecord, MemberRecord, Run } from "@chat21/engine";
import { directConversationId } from "@chat21/protocol";
import { app } from "../targets/target.ts";

/** How much there is of what. */
export interface StoredShape {
  readonly messages: number;
  /** Pairs that have talked before and will be the load; their conversations are among the others. */
  readonly pairs: readonly (readonly [sender: string, recipient: string])[];
}

interface Conversation {
  readonly id: string;
  readonly members: readonly string[];
  head: number;
  lastTimestamp: number;
}

const messagesPerConversation = 50;
const usersPerConversation = 0.2;
const groupShare = 0.1;
const groupMembers = 12;
const runsPerCommit = 2_000;
const spanMs = 90 * 86_400_000;
const idAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const words =
  "the order has left our house and should be with you on Monday thank you for the quick answer".split(" ");

/**
 * The history of a service that has run for 90 days, in the order in which it came in, in commits of many
 * conversations: one conversation for 50 messages and one user for 5 conversations, a tenth of them groups of 12, a
 * few conversations with much and many with little in them, bodies of 150-300 bytes, ULIDs as client message ids as
 * our SDK makes them and UUIDs as message ids. The same numbers give the same history, but for its times.
 */
export function* storedRuns(shape: StoredShape, nowMs: number): Generator<readonly Run[]> {
  const random = createRandom(21);
  const conversations = makeConversations(shape, random);
  const stepMs = spanMs / shape.messages;
  let timeMs = nowMs - spanMs;
  for (let made = 0; made < shape.messages; ) {
    const runs = new Map<Conversation, EventRecord[]>();
    for (let i = 0; i < runsPerCommit && made < shape.messages; i++, made++) {
      timeMs += stepMs;
      // The cube of an even distribution: half of all messages are in an eighth of the conversations.
      const conversation = conversations[Math.floor(random() ** 3 * conversations.length)] as Conversation;
      const events = runs.get(conversation) ?? [];
      if (events.length === 0) runs.set(conversation, events);
      events.push(nextEvent(conversation, Math.floor(timeMs), random));
    }
    yield [...runs].map(([conversation, events]) => toRun(conversation, events));
  }
}

function makeConversations({ messages, pairs }: StoredShape, random: () => number): Conversation[] {
  const count = Math.max(pairs.length, Math.ceil(messages / messagesPerConversation));
  const users = Math.max(groupMembers, Math.ceil(count * usersPerConversation));
  const anyUser = () => `user-${Math.floor(random() * users)}`;
  const made = new Map<string, Conversation>();
  const add = (id: string, members: readonly string[]) =>
    made.set(id, { id, members, head: 0, lastTimestamp: 0 });
  while (made.size < count - pairs.length) {
    if (random() < groupShare) {
      const members = new Set(Array.from({ length: groupMembers }, anyUser));
      add(`group-${made.size}-${makeId(random, 20)}`, [...members]);
    } else {
      const pair = [anyUser(), anyUser()] as const;
      if (pair[0] !== pair[1]) add(directConversationId(...pair), pair);
    }
  }
  const conversations = [...made.values()];
  pairs.forEach((members, index) => {
    const id = directConversationId(...members);
    const place = Math.floor((conversations.length * index) / pairs.length);
    conversations.splice(place, 0, { id, members, head: 0, lastTimestamp: 0 });
  });
  return conversations;
}

function nextEvent(conversation: Conversation, timeMs: number, random: () => number): EventRecord {
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
    body: body(sender, id.startsWith("group-") ? "group" : "direct", clientMessageId, random),
    tempUid: null,
    hiddenFor: null,
    listed: true,
  };
}

function body(sender: string, channel: string, clientMessageId: string, random: () => number): string {
  const length = 3 + Math.floor(random() * 25);
  const text = Array.from({ length }, () => words[Math.floor(random() * words.length)]).join(" ");
  return JSON.stringify({
    text,
    type: "text",
    sender_fullname: sender,
    attributes: { lang: "en" },
    channel_type: channel,
    client_message_id: clientMessageId,
  });
}

function toRun({ id, members, head }: Conversation, events: readonly EventRecord[]): Run {
  const kind = id.startsWith("group-") ? "group" : "direct";
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

function ulid(timeMs: number, random: () => number): string {
  let time = "";
  for (let rest = timeMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32))
    time = idAlphabet[rest % 32] + time;
  return time + makeId(random, 16);
}

function makeId(random: () => number, length: number): string {
  let id = "";
  for (let i = 0; i < length; i++) id += idAlphabet[Math.floor(random() * 32)];
  return id;
}

function uuid(random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

/** Mulberry32: small, fast and good enough for a history. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import type { EventRecord, Run } from "@chat21/engine";
import { createRandom, makeId, type Random } from "./random-ids.ts";
import {
  directConversation,
  groupConversation,
  nextMessage,
  type StoredConversation,
  toRun,
} from "./stored-conversation.ts";

/** Amounts of a stored history. */
export interface StoredShape {
  readonly messages: number;
  /** Pairs that have written before and will make the load; their conversations are among the others. */
  readonly pairs: readonly (readonly [sender: string, recipient: string])[];
}

const messagesPerConversation = 50;
const usersPerConversation = 0.2;
const groupShare = 0.1;
const groupMembers = 12;
const messagesPerCommit = 2_000;
const spanMs = 90 * 86_400_000;

/**
 * The history of a service that has run for 90 days, in the order in which it came in, in commits of many
 * conversations: one conversation for 50 messages and one user for 5 conversations, a tenth of them groups of 12, a few
 * conversations with many messages and many with few, bodies of 150-300 bytes, ULIDs as client message ids as our SDK
 * makes them and UUIDs as message ids. The same numbers give the same history, except for its times.
 */
export function* storedRuns(shape: StoredShape, nowMs: number): Generator<readonly Run[]> {
  const random = createRandom(21);
  const conversations = makeConversations(shape, random);
  const stepMs = spanMs / shape.messages;
  let timeMs = nowMs - spanMs;
  for (let made = 0; made < shape.messages; ) {
    const runs = new Map<StoredConversation, EventRecord[]>();
    for (let i = 0; i < messagesPerCommit && made < shape.messages; i++, made++) {
      timeMs += stepMs;
      // The cube of an even distribution: half of all messages are in an eighth of the conversations.
      const conversation = conversations[
        Math.floor(random() ** 3 * conversations.length)
      ] as StoredConversation;
      const events = runs.get(conversation) ?? [];
      if (events.length === 0) runs.set(conversation, events);
      events.push(nextMessage(conversation, Math.floor(timeMs), random));
    }
    yield [...runs].map(([conversation, events]) => toRun(conversation, events));
  }
}

function makeConversations({ messages, pairs }: StoredShape, random: Random): StoredConversation[] {
  const count = Math.max(pairs.length, Math.ceil(messages / messagesPerConversation));
  const users = Math.max(groupMembers, Math.ceil(count * usersPerConversation));
  const anyUser = () => `user-${Math.floor(random() * users)}`;
  const made = new Map<string, StoredConversation>();
  const add = (conversation: StoredConversation) => made.set(conversation.id, conversation);
  while (made.size < count - pairs.length) {
    if (random() < groupShare) {
      const members = new Set(Array.from({ length: groupMembers }, anyUser));
      add(groupConversation(`group-${made.size}-${makeId(random, 20)}`, [...members]));
    } else {
      const pair = [anyUser(), anyUser()] as const;
      if (pair[0] !== pair[1]) add(directConversation(pair));
    }
  }
  const conversations = [...made.values()];
  pairs.forEach((members, index) => {
    const place = Math.floor((conversations.length * index) / pairs.length);
    conversations.splice(place, 0, directConversation(members));
  });
  return conversations;
}

import type { Run } from "@chat21/engine";
import { conversWithOf } from "@chat21/protocol";
import { createRandom, type Random } from "./random-ids.ts";
import {
  directConversation,
  groupConversation,
  nextMessage,
  type StoredConversation,
  someText,
  toRun,
} from "./stored-conversation.ts";

/** How many conversations there are to read. */
export interface ReadingShape {
  /** Conversations of the reader who syncs. */
  readonly synced: number;
  /** How many of these change between two syncs. */
  readonly changed: number;
  /** Conversations of the reader who lists. */
  readonly listed: number;
  /** Conversations of each reader who lists long texts. */
  readonly long: number;
}

/** The readers; the history is theirs. */
export const readers = {
  syncing: "reader-of-changes",
  listing: "reader-of-lists",
  /** Members of the same groups. */
  ofLongTexts: Array.from({ length: 8 }, (_, index) => `reader-of-long-texts-${index}`),
} as const;

/** A reader's conversation, with the address of a message that changes it. */
export interface ReadConversation {
  /** The name of the reader's conversation in answers. */
  readonly conversWith: string;
  /** Somebody else in it. */
  readonly sender: string;
  /** To whom the sender writes. */
  readonly recipient: string;
}

/**
 * Proportions to the synced conversations: one in 20 changes (500 of 10,000), the list is longer, long texts are fewer.
 */
const proportions = { changed: 1 / 20, listed: 5, long: 1 / 10 } as const;
const groupShare = 0.1;
const groupMembers = 12;
/** Messages of every synced conversation, and of every listed one. */
const messagesEach = { synced: 3, listed: 2 } as const;
const longTextBytes = 60 * 1_024;
/** Messages of one commit, at most. */
const messagesPerCommit = 2_000;
const longMessagesPerCommit = 50;
const spanMs = 90 * 86_400_000;

/** The usual proportions, for a reader who syncs `synced` conversations. */
export function readingShape(synced: number): ReadingShape {
  const of = (proportion: number) => Math.max(1, Math.round(synced * proportion));
  return {
    synced,
    changed: of(proportions.changed),
    listed: of(proportions.listed),
    long: of(proportions.long),
  };
}

/**
 * The history of 90 days that is read: conversations of the readers with many others, a tenth of them groups of 12, a
 * few messages of 150-300 bytes in each; and groups of all readers of long texts, with one message of 60 KB in each.
 * The same shape gives the same history, except for its times.
 */
export function* readingRuns(shape: ReadingShape, nowMs: number): Generator<readonly Run[]> {
  const random = createRandom(22);
  yield* shortRuns(makeConversations(readers.syncing, shape.synced), messagesEach.synced, nowMs, random);
  yield* shortRuns(makeConversations(readers.listing, shape.listed), messagesEach.listed, nowMs, random);
  const groups = Array.from({ length: shape.long }, (_, index) =>
    groupConversation(`group-long-${index}`, readers.ofLongTexts),
  );
  for (let at = 0; at < groups.length; at += longMessagesPerCommit) {
    yield groups.slice(at, at + longMessagesPerCommit).map((group, index) => {
      const timeMs = nowMs - (groups.length - at - index) * 1_000;
      return toRun(group, [nextMessage(group, timeMs, random, longText(random))]);
    });
  }
}

/**
 * The conversations that change in a round, spread over all. The next round changes others, as long as there are any.
 */
export function changedConversations(
  { synced, changed }: ReadingShape,
  round: number,
): readonly ReadConversation[] {
  const conversations = makeConversations(readers.syncing, synced);
  const chosen = Array.from({ length: changed }, (_, index) => placeOf(round * changed + index, synced));
  return chosen.map((place) => {
    const { id, members } = conversations[place] as StoredConversation;
    const sender = members.find((member) => member !== readers.syncing) as string;
    return { conversWith: conversWithOf(id, readers.syncing), sender, recipient: conversWithOf(id, sender) };
  });
}

function makeConversations(reader: string, count: number): StoredConversation[] {
  const random = createRandom(23);
  return Array.from({ length: count }, (_, index) => {
    if (random() >= groupShare) return directConversation([reader, `peer-${index}`]);
    const others = Array.from({ length: groupMembers - 1 }, (_, other) => `peer-${index + other}`);
    return groupConversation(`group-${reader}-${index}`, [reader, ...others]);
  });
}

/** One message for every conversation, then the next one: as in a real log, a conversation's messages lie far apart. */
function* shortRuns(
  conversations: readonly StoredConversation[],
  each: number,
  nowMs: number,
  random: Random,
): Generator<readonly Run[]> {
  const { length } = conversations;
  const stepMs = spanMs / (length * each + 1);
  for (let made = 0; made < length * each; ) {
    const end = Math.min(made + messagesPerCommit, (Math.floor(made / length) + 1) * length);
    const runs: Run[] = [];
    for (; made < end; made++) {
      const conversation = conversations[placeOf(made, length)] as StoredConversation;
      const timeMs = Math.floor(nowMs - spanMs + made * stepMs);
      runs.push(toRun(conversation, [nextMessage(conversation, timeMs, random)]));
    }
    yield runs;
  }
}

/** A walk over `length` places in long strides that comes to each of them once before it begins anew. */
function placeOf(step: number, length: number): number {
  // Prime numbers: their multiples reach every place of a length that they do not divide.
  const stride = length % 7_919 === 0 ? 7_927 : 7_919;
  return (step * stride) % length;
}

function longText(random: Random): string {
  return someText(longTextBytes / 4, random).slice(0, longTextBytes);
}

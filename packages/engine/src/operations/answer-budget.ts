import { byteLength, limits } from "@chat21/protocol";
import type { JsonText } from "../engine.ts";
import type { EventRecord } from "../ports/records.ts";

/** Characters that always fit into one answer: in UTF-8 one character takes 3 bytes at most. */
export const answerCharacters = Math.floor(limits.answerBytes / 3);

/** Characters of an event's JSON in an answer, beside the sender's text. */
export const eventOverhead = 500;

/** Characters of a conversation's state in an answer, beside its last message: the list's text is in it twice. */
export const conversationOverhead = 1_500 + limits.listTextCharacters;

/** Bytes left for one answer: all its parts share `limits.answerBytes`. */
export class AnswerBudget {
  #left: number = limits.answerBytes;
  #isEmpty = true;

  /** Bytes, at least 1. */
  get left(): number {
    return Math.max(1, this.#left);
  }

  /** Takes room for a part if it still fits; answers whether it does. The first part always fits. */
  take(part: JsonText): boolean {
    const bytes = byteLength(part) + 1;
    if (bytes > this.#left && !this.#isEmpty) return false;
    this.#left -= bytes;
    this.#isEmpty = false;
    return true;
  }
}

/**
 * Whether a read surely reached the end of its range: it answered fewer events than it might have, and had room for
 * another one of any size. `false` where only a further read can tell.
 */
export function isWhole(events: readonly EventRecord[], limit: number, characters: number): boolean {
  if (events.length >= limit) return false;
  const read = events.reduce((sum, { body }) => sum + body.length, 0);
  return read + limits.payloadBytes <= characters;
}

import { byteLength, limits } from "@chat21/protocol";
import type { JsonText } from "../engine.ts";
import type { EventRecord } from "../ports/records.ts";

/** Characters that fit into one answer whatever they are: in UTF-8 one takes 3 bytes at most. */
export const answerCharacters = Math.floor(limits.answerBytes / 3);

/** Characters of an event's JSON in an answer, beside what its sender wrote. */
export const eventOverhead = 500;

/** Characters of a conversation's state in an answer, beside its last message: the list's text is in it twice. */
export const conversationOverhead = 1_500 + limits.listTextCharacters;

/** Bytes that one answer may still have: `limits.answerBytes` for everything in it. */
export class AnswerBudget {
  #left: number = limits.answerBytes;
  #isEmpty = true;

  /** Bytes, at least 1. */
  get left(): number {
    return Math.max(1, this.#left);
  }

  /** Whether a part still fits; if so, it takes its room. The first part fits in any case. */
  take(part: JsonText): boolean {
    const bytes = byteLength(part) + 1;
    if (bytes > this.#left && !this.#isEmpty) return false;
    this.#left -= bytes;
    this.#isEmpty = false;
    return true;
  }
}

/**
 * Whether a read surely came to the end of its range: fewer events than it might have answered, and room for another one
 * of any size. `false` where only a further read tells.
 */
export function isWhole(events: readonly EventRecord[], limit: number, characters: number): boolean {
  if (events.length >= limit) return false;
  const read = events.reduce((sum, { body }) => sum + body.length, 0);
  return read + limits.payloadBytes <= characters;
}

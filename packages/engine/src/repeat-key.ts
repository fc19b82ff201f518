import type { DecodedMessage } from "./decode-message.ts";
import type { Inbound } from "./ports/edge.ts";
import type { EventRecord } from "./ports/records.ts";
import { isErased } from "./project-message.ts";
import { longHash } from "./short-hash.ts";

/** Two messages that look alike are one when they come within this time. */
const windowMs = 600_000;
/** Characters of each end of a body that are hashed: every message has a hash, and whole bodies are compared anyway. */
const hashedEnd = 128;

/** The delivery of a message by an edge, as far as it tells repeats from new messages. */
export interface Delivered extends Pick<Inbound, "packet" | "redelivered"> {
  readonly clientId: string;
  /** Milliseconds: the client had the acknowledgement of whatever it sent before, and did not send it again since. */
  readonly resentSince: number;
}

/**
 * The idempotency key of a message whose sender gave none, made of what the message carries. It takes the place of
 * `clientMessageId` in the store, so that its unique index recognizes repeats, also by other processes and after a
 * restart. It begins with `$`, which no client's id does. In doubt a message is stored twice, never dropped.
 */
export interface RepeatKey {
  /** The key that is tried first. */
  readonly id: string;
  /** For a message that is no repeat of the event under {@link id}: keys of this time and of the time before. */
  later(now: number): { readonly present: string; readonly past: string };
  /** Whether the event, found under a key, is this message. */
  isSame(event: EventRecord, now: number): boolean;
}

/**
 * - With `attributes.tempUID`: the same one, in the same conversation, with the same text, within ten minutes, however it
 *   comes.
 * - Else, with a packet identifier (QoS 1 and 2): the same packet of the same client id with the same text, when it
 *   comes again (`isDuplicate`: DUP, [MQTT-3.3.1-1], or a lost acknowledgement), and the client first sent it over this connection or the one before:
 *   a client sends again as soon as it is back ([MQTT-4.4.0-1]). Without DUP it is a new message: people say "ok" twice.
 *
 * `null`: nothing tells a repeat from a new message.
 */
export function repeatKeyOf(
  conversation: string,
  { body, tempUid }: DecodedMessage,
  delivered: Delivered | undefined,
): RepeatKey | null {
  const packet = delivered?.packet;
  let named: string;
  if (tempUid !== null) named = `t\n${tempUid}`;
  else if (packet !== undefined) named = `p\n${delivered?.clientId}\n${packet.id}`;
  else return null;
  const ends = `${body.length}\n${body.slice(0, hashedEnd)}\n${body.slice(-hashedEnd)}`;
  const hash = longHash(`${named}\n${conversation}\n${ends}`);
  const isNew = tempUid === null && packet?.isDuplicate === false;
  const since = tempUid === null ? (delivered?.resentSince ?? 0) : 0;
  return {
    id: `$${hash}`,
    later(now) {
      const time = Math.floor(now / windowMs);
      return { present: `$${hash}.${time}`, past: `$${hash}.${time - 1}` };
    },
    isSame(event, now) {
      if (isNew || event.type !== "message" || event.conversation !== conversation) return false;
      if (event.committedAt < since || (event.body !== body && !isErased(event))) return false;
      // A broker that delivers again may have waited for longer.
      return delivered?.redelivered === true || Math.abs(now - event.committedAt) < windowMs;
    },
  };
}

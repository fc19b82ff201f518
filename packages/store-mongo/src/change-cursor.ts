import { hash } from "node:crypto";
import { ChatError } from "@chat21/protocol";
import { type Ticks, ticksPerSecond } from "./logical-time.ts";

/** The state of a conversation that a user was told last. */
export interface Told {
  /** The last number that the user could see. */
  readonly head: number;
  /** `changes` of the user's place. */
  readonly changes: number;
}

/** The place of a walk through changes: all changes in front of it were told. */
export interface WalkPlace {
  readonly changedAt: Ticks;
  /** {@link tieOf} the conversation. */
  readonly tie: string;
}

/** A walk of several pages. */
interface Walk {
  /** Changes after this time are looked for at its end. */
  readonly upTo: Ticks;
  readonly below: WalkPlace;
  /** By which a process knows what it told in this walk, and not in another of the same user. 32 bits, random. */
  readonly id: number;
}

/**
 * A place in the changes for a user. A conversation that changes while a walk of several pages goes on may leave its
 * place before the walk reaches it. Such changes are told at its end. Where a process cannot tell them from those that
 * were told, another walk follows, behind the time at which the first began. It gives events back to `base`.
 */
export interface ChangeCursor {
  /** Changes behind this time are asked for. */
  readonly since: Ticks;
  /** And events behind this one, at or below `since`. */
  readonly base: Ticks;
  /** Inside a walk. */
  readonly walk: Walk | null;
  /**
   * The told state of conversations that changed shortly before `since`, by {@link nameIn}. Their changes are read once
   * more, because a change becomes visible a little after its time.
   */
  readonly told: ReadonlyMap<string, Told>;
}

const secondBytes = 4;
const restBytes = 3;
const timeBytes = secondBytes + restBytes;
const tieBytes = 6;
const idBytes = 4;
const nameBytes = 5;
const headBytes = 3;
const changesBytes = 2;
const toldBytes = nameBytes + headBytes + changesBytes;

/** 200 characters of base64. */
const maxBytes = 150;

/** First byte; other stores' cursors begin otherwise. */
const plainForm = 0x4d;
const walkForm = 0x4f;

const plainBytes = 2 * timeBytes;
const walkBytes = 4 * timeBytes + tieBytes + idBytes;

const headModulus = 2 ** (8 * headBytes);
const changesModulus = 2 ** (8 * changesBytes);

const digest = (text: string, bytes: number) => hash("sha256", text).slice(0, 2 * bytes);

/** Orders conversations that changed at the same time. */
export function tieOf(conversation: string): string {
  return digest(conversation, tieBytes);
}

/** A conversation's name in a cursor. Two that share one by chance do not share it in the next cursor. */
export function nameIn(cursor: Pick<ChangeCursor, "since">, conversation: string): string {
  return digest(`${cursor.since}\n${conversation}`, nameBytes);
}

/** The number at or below `now` that has these low digits. */
function restore(low: number, now: number, modulus: number): number {
  const full = now - (now % modulus) + low;
  return full <= now ? full : Math.max(0, full - modulus);
}

/** The told state with full numbers: a cursor holds only their low digits. `now` is the present state. */
export function restoreTold(told: Told, now: Told): Told {
  return {
    head: restore(told.head % headModulus, now.head, headModulus),
    changes: restore(told.changes % changesModulus, now.changes, changesModulus),
  };
}

/** How many conversations a cursor can speak of. */
export function roomFor(cursor: Pick<ChangeCursor, "walk">): number {
  const times = cursor.walk === null ? plainBytes : walkBytes;
  return Math.floor((maxBytes - 1 - times) / toldBytes);
}

/** 1-200 characters of `A-Za-z0-9_-`. */
export function encodeCursor({ since, base, walk, told }: ChangeCursor): string {
  const buffer = Buffer.alloc(maxBytes);
  let at = buffer.writeUInt8(walk === null ? plainForm : walkForm);
  const number = (value: number, bytes: number) => {
    at = buffer.writeUIntBE(value, at, bytes);
  };
  const time = (ticks: Ticks) => {
    number(Math.floor(ticks / ticksPerSecond), secondBytes);
    number(ticks % ticksPerSecond, restBytes);
  };
  time(since);
  time(base);
  if (walk !== null) {
    time(walk.upTo);
    time(walk.below.changedAt);
    at += buffer.write(walk.below.tie, at, "hex");
    number(walk.id, idBytes);
  }
  for (const [name, { head, changes }] of [...told].slice(0, roomFor({ walk }))) {
    at += buffer.write(name, at, "hex");
    number(head % headModulus, headBytes);
    number(changes % changesModulus, changesBytes);
  }
  return buffer.subarray(0, at).toString("base64url");
}

class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get left(): number {
    return this.#buffer.length - this.#at;
  }

  number(bytes: number): number {
    this.#at += bytes;
    return this.#buffer.readUIntBE(this.#at - bytes, bytes);
  }

  time(): Ticks {
    return this.number(secondBytes) * ticksPerSecond + this.number(restBytes);
  }

  text(bytes: number): string {
    this.#at += bytes;
    return this.#buffer.subarray(this.#at - bytes, this.#at).toString("hex");
  }
}

function decode(text: string): ChangeCursor | null {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(text)) return null;
  const buffer = Buffer.from(text, "base64url");
  const isWalk = buffer[0] === walkForm;
  const times = isWalk ? walkBytes : plainBytes;
  const rest = buffer.length - 1 - times;
  if (!(isWalk || buffer[0] === plainForm) || rest < 0 || rest % toldBytes !== 0) return null;
  if (buffer.toString("base64url") !== text) return null;
  const reader = new Reader(buffer);
  reader.number(1);
  const since = reader.time();
  const base = reader.time();
  const walk = isWalk
    ? {
        upTo: reader.time(),
        below: { changedAt: reader.time(), tie: reader.text(tieBytes) },
        id: reader.number(idBytes),
      }
    : null;
  const told = new Map<string, Told>();
  while (reader.left > 0) {
    const name = reader.text(nameBytes);
    told.set(name, { head: reader.number(headBytes), changes: reader.number(changesBytes) });
  }
  return { since, base, walk, told };
}

/** Throws `invalid_cursor` for a text that {@link encodeCursor} did not make, and for a time after `reached`. */
export function decodeCursor(text: string, reached: Ticks): ChangeCursor {
  const cursor = decode(text);
  if (cursor !== null && cursor.base <= cursor.since) {
    const { since, walk } = cursor;
    const last = walk === null ? since : Math.max(walk.upTo, since);
    if (last <= reached) return cursor;
  }
  throw new ChatError(
    "invalid_cursor",
    "the cursor is not one of this store, or of a time that it has not reached",
  );
}

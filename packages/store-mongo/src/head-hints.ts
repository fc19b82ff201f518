import type { Log } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationDocument, ConversationKey } from "./documents.ts";
import { stampNow } from "./logical-time.ts";
import { SharedWrite } from "./shared-write.ts";

/** Longest delay of a write. */
const maxAgeMs = 500;

/**
 * A document's `changedAt` also stands for events that are committed up to so long after it. Readers look back further
 * than that.
 */
const stampHoldsMs = 2_000;

/** Conversations whose newest stamp is remembered; each takes about 200 bytes. */
const capacity = 50_000;

/**
 * For writes that nobody waits for. A lost head is found again in its log, but no reader may see a head that can still
 * be lost.
 */
const lazily = { w: "majority", journal: false } as const;

/** For writes that somebody waits for: the journal's next regular write may be 100 ms away. */
const atOnce = { w: "majority", journal: true } as const;

interface Hint {
  readonly key: ConversationKey;
  readonly head: number;
  readonly lastTimestamp: number;
}

interface Stamp {
  /** By this process' monotonic clock: a moment before the write that set `changedAt` was sent. */
  readonly at: number;
  /** `changedAt` speaks for all events up to this number. */
  readonly head: number;
}

/** The last event of several in one conversation. */
export interface LastOf {
  readonly key: ConversationKey;
  readonly last: number;
}

const nameOf = ({ app, conversation }: ConversationKey) => `${app}\n${conversation}`;

function toUpdate({ key, head, lastTimestamp }: Hint): mongo.AnyBulkWriteOperation<ConversationDocument> {
  const update = { $max: { head, lastTimestamp }, $currentDate: stampNow };
  return { updateOne: { filter: { _id: key }, update } };
}

/**
 * Heads and times of change for conversation documents, written some time after the commits. A quiet conversation's
 * head is written at once, a busy one's twice a second: ten thousand messages of a busy group make a handful of updates
 * of its document. ADR 0013 says how readers use them.
 */
export class HeadHints {
  readonly #database: Database;
  readonly #log: Log | undefined;
  readonly #shared = new SharedWrite(() => this.#write());
  readonly #stamps = new Map<string, Stamp>();
  #hints = new Map<string, Hint>();
  #isUrgent = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(database: Database, log: Log | undefined) {
    this.#database = database;
    this.#log = log;
  }

  /** Events up to `head` were committed, and nothing was written to the conversation's document. */
  raise(key: ConversationKey, head: number, lastTimestamp: number): void {
    const name = nameOf(key);
    const { app, conversation } = key;
    // Stamps are given in this order.
    this.#hints.delete(name);
    this.#hints.set(name, { key: { app, conversation }, head, lastTimestamp });
    const stamp = this.#stamps.get(name);
    if (stamp === undefined || performance.now() - stamp.at > stampHoldsMs) {
      this.#writeNow().catch(() => {});
      return;
    }
    if (head > stamp.head) this.#stamps.set(name, { at: stamp.at, head });
    this.#wake();
  }

  /** Events up to `head` were committed together with head and stamp, by a write that was sent after `at`. */
  stamped(key: ConversationKey, head: number, at: number): void {
    const name = nameOf(key);
    const known = this.#stamps.get(name)?.head ?? 0;
    this.#stamps.delete(name);
    this.#stamps.set(name, { at, head: Math.max(known, head) });
    if (this.#stamps.size <= capacity) return;
    const [oldest = ""] = this.#stamps.keys();
    this.#stamps.delete(oldest);
  }

  /**
   * Resolves when the documents' stamps stand for all of these events, whichever process committed them. From then on
   * they are found without their marks. Rejects when the stamps cannot be written.
   */
  async cover(events: readonly LastOf[]): Promise<void> {
    let open = this.#uncovered(events);
    if (open.length === 0) return;
    const isWaiting = open.some(({ key, last }) => (this.#hints.get(nameOf(key))?.head ?? 0) >= last);
    await (isWaiting ? this.#writeNow() : this.#shared.current());
    open = this.#uncovered(open);
    if (open.length > 0) await this.#raiseOthers(open);
  }

  /** Resolves when everything that was raised so far is written, or has failed for now. */
  async settle(): Promise<void> {
    await (this.#hints.size === 0 ? this.#shared.current() : this.#writeNow()).catch(() => {});
  }

  /** The last write. Heads that cannot be written now are found later by a look into the log. */
  async close(): Promise<void> {
    await this.settle();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #uncovered(events: readonly LastOf[]): LastOf[] {
    return events.filter(({ key, last }) => (this.#stamps.get(nameOf(key))?.head ?? 0) < last);
  }

  /**
   * Raises heads for events that another process committed, or this one long ago. Numbers without an event are ignored.
   */
  async #raiseOthers(open: readonly LastOf[]): Promise<void> {
    const { collections, queryTimeoutMs } = this.#database;
    const ids = open.map(({ key: { app, conversation }, last }) => ({ app, conversation, seq: last }));
    const found = await collections.events
      .find({ _id: { $in: ids } }, { projection: { timestamp: 1 }, maxTimeMS: queryTimeoutMs })
      .toArray();
    for (const { _id, timestamp } of found) this.raise(_id, _id.seq, timestamp);
    await (this.#hints.size === 0 ? this.#shared.current() : this.#writeNow());
  }

  #wake(): void {
    this.#timer ??= setTimeout(() => this.#shared.ask().catch(() => {}), maxAgeMs).unref();
  }

  #writeNow(): Promise<void> {
    this.#isUrgent = true;
    return this.#shared.ask();
  }

  async #write(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const hints = this.#hints;
    if (hints.size === 0) return;
    this.#hints = new Map();
    const writeConcern = this.#isUrgent ? atOnce : lazily;
    this.#isUrgent = false;
    const at = performance.now();
    try {
      const updates = [...hints.values()].map(toUpdate);
      const options = { writeConcern, ordered: false };
      await this.#database.collections.conversations.bulkWrite(updates, options);
    } catch (error) {
      this.#log?.warn({ err: error }, "conversations' heads were not raised; trying again");
      this.#hints = new Map([...hints, ...this.#hints]);
      this.#wake();
      throw error;
    }
    for (const { key, head } of hints.values()) this.stamped(key, head, at);
  }
}

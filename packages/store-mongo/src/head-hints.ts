import type { Log } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { ConversationDocument, ConversationKey } from "./documents.ts";
import { conversationName } from "./key-names.ts";
import { stampNow } from "./logical-time.ts";
import { SharedWrite } from "./shared-write.ts";

/** Written at the latest after so long. */
const maxAgeMs = 1_000;

/** What no stamp speaks for yet is gathered so long: marks are gathered longer, and do not wait for it then. */
const gatherMs = 10;

/** A document's `changedAt` speaks for what is committed up to so long after it: readers look back further than that. */
const stampHoldsMs = 2_000;

/** Conversations whose newest stamp is remembered; each takes about 200 bytes. */
const capacity = 50_000;

/** Nobody waits for it. A head that is lost is looked for in its log; but a loss must not be read before it happens. */
const lazily = { w: "majority", journal: false } as const;

/** Somebody waits for it: the next of the journal's own writes would be 100 ms away. */
const atOnce = { w: "majority", journal: true } as const;

interface Hint {
  readonly key: ConversationKey;
  readonly head: number;
  readonly lastTimestamp: number;
}

interface Stamp {
  /** By this process' monotonic clock: before the write was sent that set `changedAt`. */
  readonly at: number;
  /** `changedAt` speaks for all events up to this number. */
  readonly head: number;
}

/** The last of some events of one conversation. */
export interface LastOf {
  readonly key: ConversationKey;
  readonly last: number;
}

function toUpdate({ key, head, lastTimestamp }: Hint): mongo.AnyBulkWriteOperation<ConversationDocument> {
  const update = { $max: { head, lastTimestamp }, $currentDate: stampNow };
  return { updateOne: { filter: { _id: key }, update } };
}

/**
 * The heads that conversation documents carry, and when they changed, on their way behind the commits. A busy
 * conversation's is written once a second: ten thousand messages of a busy group make a handful of updates of its
 * document. A quiet one's is written before the marks of its events are cleared. ADR 0013 says what readers make of it.
 */
export class HeadHints {
  readonly #database: Database;
  readonly #log: Log | undefined;
  readonly #shared = new SharedWrite(() => this.#write());
  readonly #stamps = new Map<string, Stamp>();
  readonly #hints = new Map<string, Hint>();
  /** Names of hints that no stamp speaks for yet. */
  readonly #uncovered = new Set<string>();
  #isOnlyUncovered = true;
  #isUrgent = false;
  #gathering: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(database: Database, log: Log | undefined) {
    this.#database = database;
    this.#log = log;
  }

  /** Events up to `head` were committed, and nothing was written to the conversation's document. */
  raise(key: ConversationKey, head: number, lastTimestamp: number): void {
    const name = conversationName(key);
    const { app, conversation } = key;
    this.#put(name, { key: { app, conversation }, head, lastTimestamp });
    const stamp = this.#stamps.get(name);
    if (stamp === undefined || performance.now() - stamp.at > stampHoldsMs) {
      this.#uncovered.add(name);
      this.#gathering ??= setTimeout(() => this.#writeGathered(), gatherMs).unref();
    } else if (head > stamp.head) this.#stamps.set(name, { at: stamp.at, head });
  }

  /** Events up to `head` were committed together with head and stamp, by a write that was sent after `at`. */
  stamped(key: ConversationKey, head: number, at: number): void {
    const name = conversationName(key);
    const known = this.#stamps.get(name)?.head ?? 0;
    this.#stamps.delete(name);
    this.#stamps.set(name, { at, head: Math.max(known, head) });
    if (this.#stamps.size <= capacity) return;
    const [oldest = ""] = this.#stamps.keys();
    this.#stamps.delete(oldest);
  }

  /**
   * Resolves when the documents' stamps speak for all of these events, whoever committed them. From then on they are found
   * without their marks. Rejects when that cannot be written.
   */
  async cover(events: readonly LastOf[]): Promise<void> {
    let open = this.#uncoveredOf(events);
    if (open.length === 0) return;
    await this.#writeUncovered();
    open = this.#uncoveredOf(open);
    if (open.length > 0) await this.#raiseOthers(open);
  }

  /** Resolves when everything that was raised so far is written, or has failed for now. */
  async settle(): Promise<void> {
    if (this.#hints.size === 0) return this.#shared.current().catch(() => {});
    this.#isOnlyUncovered = false;
    this.#isUrgent = true;
    await this.#shared.ask().catch(() => {});
  }

  /** The last write: what fails now is left to those who look into the log. */
  async close(): Promise<void> {
    await this.settle();
    for (const timer of [this.#timer, this.#gathering]) if (timer !== null) clearTimeout(timer);
  }

  #put(name: string, hint: Hint): void {
    // Stamps are given in this order.
    this.#hints.delete(name);
    this.#hints.set(name, hint);
    this.#timer ??= setTimeout(() => this.#writeAll(), maxAgeMs).unref();
  }

  #uncoveredOf(events: readonly LastOf[]): LastOf[] {
    return events.filter(({ key, last }) => (this.#stamps.get(conversationName(key))?.head ?? 0) < last);
  }

  /** Events that this process did not commit, or long ago. A number without an event is nobody's. */
  async #raiseOthers(open: readonly LastOf[]): Promise<void> {
    const { collections, queryTimeoutMs } = this.#database;
    const ids = open.map(({ key: { app, conversation }, last }) => ({ app, conversation, seq: last }));
    const found = await collections.events
      .find({ _id: { $in: ids } }, { projection: { timestamp: 1 }, maxTimeMS: queryTimeoutMs })
      .toArray();
    for (const { _id, timestamp } of found) this.raise(_id, _id.seq, timestamp);
    await this.#writeUncovered();
  }

  /** Also what a write under way carries. */
  async #writeUncovered(): Promise<void> {
    if (this.#uncovered.size === 0) return this.#shared.current();
    this.#isUrgent = true;
    await this.#shared.ask();
  }

  #writeGathered(): void {
    this.#gathering = null;
    this.#writeUncovered().catch(() => {});
  }

  #writeAll(): void {
    this.#timer = null;
    this.#isOnlyUncovered = false;
    this.#shared.ask().catch(() => {});
  }

  #take(): ReadonlyMap<string, Hint> {
    const taken = new Map<string, Hint>();
    const names = this.#isOnlyUncovered ? this.#uncovered : this.#hints.keys();
    for (const name of names) {
      const hint = this.#hints.get(name);
      if (hint !== undefined) taken.set(name, hint);
    }
    for (const name of taken.keys()) this.#hints.delete(name);
    this.#uncovered.clear();
    this.#isOnlyUncovered = true;
    return taken;
  }

  async #write(): Promise<void> {
    const hints = this.#take();
    const writeConcern = this.#isUrgent ? atOnce : lazily;
    this.#isUrgent = false;
    if (hints.size === 0) return;
    const at = performance.now();
    try {
      const updates = [...hints.values()].map(toUpdate);
      await this.#database.collections.conversations.bulkWrite(updates, { writeConcern, ordered: false });
    } catch (error) {
      this.#log?.warn({ err: error }, "conversations' heads were not raised; trying again");
      for (const [name, hint] of hints) {
        this.#uncovered.add(name);
        if (!this.#hints.has(name)) this.#put(name, hint);
      }
      throw error;
    }
    for (const { key, head } of hints.values()) this.stamped(key, head, at);
  }
}

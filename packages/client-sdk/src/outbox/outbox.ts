import { ChatError } from "@chat21/protocol";
import type { Outbox } from "../api/chat.ts";
import type { ChatMessage, SentMessage } from "../api/message.ts";
import type { Clock } from "../connection/clock.ts";
import type { Dispatch } from "../conversation/update.ts";
import type { OutboxEntry, OutboxRecord } from "./outbox-entry.ts";
import { createEntry, setEntryState } from "./outbox-entry.ts";
import { PendingWrites } from "./pending-writes.ts";
import type { RecordStore } from "./record-store.ts";
import { SendQueue } from "./send-queue.ts";

/** Settings of an {@link OutboxQueue}. */
export interface OutboxOptions {
  readonly user: string;
  /** The storage of unsent messages, by `clientMessageId`. */
  readonly store: RecordStore<OutboxRecord>;
  readonly clock: Clock;
  readonly window: number;
  readonly newId: () => string;
  /** Hands a message to the connection. It may get lost: it is sent again until it is settled or refused. */
  publish(record: OutboxRecord): void;
  readonly dispatch: Dispatch;
  /** Called when {@link OutboxQueue.list} has changed. */
  handleChange(): void;
  handleError(error: ChatError): void;
}

/**
 * Messages that the server has not stored yet. They are kept before they are sent, and sent again, in order and with
 * the same id, until the sender's own copy settles them or the server refuses them for good.
 */
export class OutboxQueue implements Outbox {
  readonly #options: OutboxOptions;
  /** In send order. */
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #queues = new Map<string, SendQueue>();
  #order = 0;
  #online = false;
  #closed = false;
  #listed: readonly ChatMessage[] | undefined;
  readonly #writes: PendingWrites;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#writes = new PendingWrites((thrown) => {
      options.handleError(new ChatError("internal", "the storage failed", { cause: thrown }));
    });
  }

  async load(): Promise<void> {
    const records = [...(await this.#options.store.list())].sort((a, b) => a.order - b.order);
    for (const record of records) {
      const entry = createEntry(record, this.#options.user, true);
      this.#insert(entry);
      const { message } = entry;
      this.#options.dispatch({ type: "queued", conversWith: record.to, message, loaded: true });
    }
  }

  list(): readonly ChatMessage[] {
    this.#listed ??= [...this.#entries.values()].map(({ message }) => message);
    return this.#listed;
  }

  get pending(): number {
    return this.list().filter(({ state }) => state === "queued" || state === "sending").length;
  }

  get failed(): number {
    return this.list().filter(({ state }) => state === "failed").length;
  }

  add(to: string, body: OutboxRecord["body"], clientMessageId: string): Promise<SentMessage> {
    if (this.#closed) return Promise.reject(new ChatError("connection_lost", "the client is closed"));
    const existing = this.#entries.get(clientMessageId);
    return new Promise((resolve, reject) => {
      if (existing === undefined) {
        const createdAt = this.#options.clock.now();
        const record = { to, body, clientMessageId, order: this.#nextOrder(), createdAt };
        const entry = createEntry(record, this.#options.user, false);
        entry.waiters.push({ resolve, reject });
        this.#insert(entry);
        this.#changed(entry);
        void this.#writes.track(this.#persist(entry));
      } else if (existing.record.to === to && JSON.stringify(existing.record.body) === JSON.stringify(body)) {
        existing.waiters.push({ resolve, reject });
        if (existing.state === "failed") this.retry(clientMessageId);
      } else {
        reject(new ChatError("idempotency_conflict", "another message with this id waits in the outbox"));
      }
    });
  }

  /** Settles a message that the server has stored. It stays in the list until {@link forget}. */
  settle(clientMessageId: string, message: ChatMessage): void {
    const entry = this.#entries.get(clientMessageId);
    const { seq, messageId, timestamp } = message;
    if (entry === undefined || entry.message.seq !== null || seq === null || messageId === null) return;
    // The id was used for another recipient: the server will refuse this message.
    if (entry.record.to !== message.conversWith) return;
    setEntryState(entry, "sent");
    entry.message = message;
    this.#leaveQueue(entry);
    for (const { resolve } of entry.waiters.splice(0)) resolve({ seq, messageId, timestamp, message });
    void this.#writes.track(this.#options.store.delete(clientMessageId));
    this.#changed(entry);
  }

  /** Drops a settled message: its conversation shows it now. */
  forget(clientMessageId: string): void {
    const entry = this.#entries.get(clientMessageId);
    if (entry !== undefined && entry.message.seq !== null) this.#delete(entry);
  }

  /** Handles a refusal of the server, final or for now. */
  refuse(clientMessageId: string, error: ChatError): void {
    const entry = this.#entries.get(clientMessageId);
    if (entry === undefined || entry.message.seq !== null || entry.state === "failed") return;
    if (!error.retryable) this.#fail(entry, error);
    else if (entry.state === "sending")
      this.#queues.get(entry.record.to)?.postpone(entry, error.retryAfterMs);
  }

  setOnline(online: boolean): void {
    this.#online = online;
    for (const queue of this.#queues.values()) queue.setOnline(online);
  }

  /** Sends again after the connection was replaced without a break. */
  resend(): void {
    for (const queue of this.#queues.values()) queue.resend();
  }

  retry(clientMessageId: string): void {
    const entry = this.#entries.get(clientMessageId);
    if (entry?.state !== "failed") return;
    const { failure, ...record } = entry.record;
    this.#delete(entry);
    // The server keeps an id for ever for the payload that it first saw with it.
    const renamed = failure?.code === "idempotency_conflict" ? this.#options.newId() : clientMessageId;
    if (renamed !== clientMessageId) void this.#writes.track(this.#options.store.delete(clientMessageId));
    const again = createEntry(
      { ...record, clientMessageId: renamed, order: this.#nextOrder() },
      this.#options.user,
      false,
    );
    again.waiters.push(...entry.waiters);
    this.#insert(again);
    this.#changed(again);
    void this.#writes.track(this.#persist(again));
  }

  async discard(clientMessageId: string): Promise<void> {
    const entry = this.#entries.get(clientMessageId);
    if (entry === undefined || entry.message.seq !== null) return;
    this.#delete(entry);
    const error = new ChatError("bad_request", "the message was discarded");
    for (const { reject } of entry.waiters.splice(0)) reject(error);
    await this.#writes.track(this.#options.store.delete(clientMessageId));
  }

  /** Resolves when no message is on its way and everything is written. */
  flush(): Promise<void> {
    return this.#writes.untilQuiet(() => this.pending === 0);
  }

  /** Resolves when every write under way has ended. */
  written(): Promise<void> {
    return this.#writes.untilQuiet(() => true);
  }

  /** Stops sending; waiting messages stay in the store. */
  close(reason: ChatError | null): void {
    this.#closed = true;
    this.setOnline(false);
    const error = reason ?? new ChatError("connection_lost", "closed; the message stays in the outbox");
    for (const { waiters } of this.#entries.values())
      for (const { reject } of waiters.splice(0)) reject(error);
  }

  #fail(entry: OutboxEntry, error: ChatError): void {
    setEntryState(entry, "failed", error);
    entry.record = { ...entry.record, failure: { code: error.code, message: error.message } };
    this.#leaveQueue(entry);
    for (const { reject } of entry.waiters.splice(0)) reject(error);
    void this.#writes.track(this.#options.store.put(entry.record));
    this.#changed(entry);
  }

  async #persist(entry: OutboxEntry): Promise<void> {
    try {
      await this.#options.store.put(entry.record);
      entry.persisted = true;
      this.#queues.get(entry.record.to)?.pump();
    } catch (thrown) {
      const error = new ChatError("internal", "the storage did not take the message", { cause: thrown });
      this.#delete(entry);
      for (const { reject } of entry.waiters.splice(0)) reject(error);
    }
  }

  #insert(entry: OutboxEntry): void {
    const { clientMessageId, to, order } = entry.record;
    this.#order = Math.max(this.#order, order);
    this.#entries.set(clientMessageId, entry);
    this.#listed = undefined;
    if (entry.state === "queued") this.#queueOf(to).entries.push(entry);
  }

  #delete(entry: OutboxEntry): void {
    this.#entries.delete(entry.record.clientMessageId);
    this.#leaveQueue(entry);
    this.#listed = undefined;
    const { to: conversWith, clientMessageId } = entry.record;
    this.#options.dispatch({ type: "unqueued", conversWith, clientMessageId });
    this.#options.handleChange();
    this.#writes.wake();
  }

  #leaveQueue(entry: OutboxEntry): void {
    const { to } = entry.record;
    const queue = this.#queues.get(to);
    queue?.remove(entry);
    if (queue?.entries.length === 0) this.#queues.delete(to);
  }

  #queueOf(to: string): SendQueue {
    const existing = this.#queues.get(to);
    if (existing !== undefined) return existing;
    const queue = new SendQueue({
      clock: this.#options.clock,
      window: this.#options.window,
      publish: (entry) => this.#options.publish(entry.record),
      handleState: (entry, state) => {
        setEntryState(entry, state);
        this.#changed(entry);
      },
    });
    queue.setOnline(this.#online);
    this.#queues.set(to, queue);
    return queue;
  }

  #changed(entry: OutboxEntry): void {
    this.#listed = undefined;
    this.#options.dispatch({ type: "queued", conversWith: entry.record.to, message: entry.message });
    this.#options.handleChange();
    this.#writes.wake();
  }

  // An order behind every waiting message, also after a restart and at any time of the clock.
  #nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }
}

import { ChatError } from "@chat21/protocol";
import { delay } from "../connection/clock.ts";
import { Connection } from "../connection/connection.ts";
import { onHints } from "../connection/hints.ts";
import type { Link } from "../connection/link.ts";
import { openLink } from "../connection/link.ts";
import type { Token, TokenKeeper } from "../connection/token-keeper.ts";
import type { Reducer } from "../conversation/kinds/reducer.ts";
import type { OutboxQueue } from "../outbox/outbox.ts";
import { PositionCheck } from "../sync/position-check.ts";
import type { Chat, ChatUser } from "./chat.ts";
import type { ClientParts } from "./client-parts.ts";
import { createParts } from "./client-parts.ts";
import type { ClientStorage } from "./client-storage.ts";
import type { Conversation } from "./conversation.ts";
import type { ConversationList } from "./conversation-list.ts";
import type { Unsubscribe } from "./emitter.ts";
import { Emitter } from "./emitter.ts";
import type { ChatEvents } from "./events.ts";
import type { GroupsClient } from "./groups-client.ts";
import type { MessageDraft, SendOptions, SentMessage } from "./message.ts";
import type { ResolvedOptions } from "./options.ts";
import { deviceSuffix } from "./options.ts";
import type { PresenceClient } from "./presence-client.ts";
import type { Status, StatusChange } from "./status.ts";

/** How often a handler gets an event on which it fails, and the pause after each time, times their number. */
const mostAttempts = 3;
const retryMs = 1_000;

/** The user and device of this client, and its storage. */
export interface ClientIdentity {
  readonly app: string;
  readonly user: string;
  readonly deviceId: string;
  readonly tokens: TokenKeeper;
  readonly storage: ClientStorage;
  /** What the storage could not give or take until now. */
  readonly problems: readonly ChatError[];
}

/** Parts of a client that tests replace. */
export interface Seams {
  /** Opens connections. @default over MQTT */
  readonly openLink?: typeof openLink;
  /** Reducers of kinds that this version does not have, by their names on the wire. */
  readonly furtherKinds?: Readonly<Record<string, Reducer>>;
}

/** A client: its parts, its connection, and its life. */
export class ChatClient implements Chat {
  readonly user: ChatUser;
  readonly #options: ResolvedOptions;
  readonly #identity: ClientIdentity;
  readonly #open: typeof openLink;
  readonly #emitter: Emitter<ChatEvents>;
  readonly #statuses = new Emitter<Pick<ChatEvents, "status">>((thrown) => this.#report(thrown));
  readonly #parts: ClientParts;
  readonly #connection: Connection;
  readonly #check: PositionCheck;
  readonly #stopHints: Unsubscribe;
  /** Marks the client id after another client used the plain one: `~3` to `~9`. */
  #suffix = "";
  #isBound = false;
  /** WebSocket did not get through the last time. */
  #fallsBack = false;
  #handedOver = false;
  #outboxChanged = false;
  #isNoted = false;
  #reporting = false;

  constructor(options: ResolvedOptions, identity: ClientIdentity, seams: Seams = {}) {
    const { user } = identity;
    const { fullname = user } = options;
    this.user = { id: user, fullname };
    this.#options = options;
    this.#identity = identity;
    this.#open = seams.openLink ?? openLink;
    this.#emitter = new Emitter((thrown) => this.#report(thrown));
    this.#emitter.hold();
    this.#parts = createParts({
      ...identity,
      fullname,
      options,
      emitter: this.#emitter,
      furtherKinds: seams.furtherKinds ?? {},
      retry: (attempt) => this.#pauseAfter(attempt),
      handleOutboxChange: () => this.#handleOutboxChange(),
      report: (thrown) => this.#report(thrown),
    });
    this.#connection = this.#createConnection();
    this.#check = new PositionCheck({
      clock: options.clock,
      intervalMs: options.checkIntervalMs,
      compare: () => this.#catchUp(this.#connection.signal),
      handleFailure: (thrown) =>
        options.log.warn({ error: String(thrown) }, "the positions could not be compared"),
    });
    const probe = () => this.#connection.probe();
    this.#stopHints = onHints(options.clock, {
      handleOffline: probe,
      handleHidden: () => void this.#parts.watermarks.hurry(),
      handleBack: () => {
        probe();
        this.#connection.wake();
        this.#check.hint();
      },
    });
    void this.#connection.closed.then((reason) => this.#stop(reason));
  }

  get app(): string {
    return this.#identity.app;
  }

  get status(): Status {
    return this.#connection.status;
  }

  get serverNow(): number {
    return this.#parts.rest.serverNow;
  }

  get closed(): Promise<ChatError | null> {
    return this.#connection.closed;
  }

  get conversations(): ConversationList {
    return this.#parts.conversations;
  }

  get groups(): GroupsClient {
    return this.#parts.groups;
  }

  get outbox(): OutboxQueue {
    return this.#parts.outbox;
  }

  get presence(): PresenceClient {
    return this.#parts.presence;
  }

  names(users: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#parts.rest.names(users);
  }

  conversation(conversWith: string): Conversation {
    return this.conversations.handle(conversWith);
  }

  send(to: string, draft: MessageDraft, options?: SendOptions): Promise<SentMessage> {
    return this.#parts.sender.send(to, draft, options);
  }

  on<Name extends keyof ChatEvents>(name: Name, handler: (event: ChatEvents[Name]) => void): Unsubscribe {
    return this.#emitter.on(name, handler);
  }

  /** As `on("status", …)`, but from the first change on. */
  onStatus(handler: (change: StatusChange) => void): Unsubscribe {
    return this.#statuses.on("status", handler);
  }

  /** The app gets this client now. Events begin in a moment: handlers that are registered until then miss none. */
  handOver(): void {
    this.#handedOver = true;
    setTimeout(() => this.#emitter.release());
  }

  /** Reads the storage, and connects. */
  async start(): Promise<void> {
    const positions = await this.#identity.storage.positions();
    if (positions !== undefined) this.#parts.synchronizer.load(positions);
    await this.outbox.load();
    await this.#parts.watermarks.load();
    for (const error of this.#identity.problems) {
      this.#options.log.warn({ error: error.message }, "a part of the storage is left out");
      this.#emitter.emit("error", { error });
    }
    this.#connection.start();
  }

  async flush(): Promise<void> {
    const { outbox, watermarks, positions } = this.#parts;
    await Promise.race([Promise.all([outbox.flush(), watermarks.flush()]), this.closed]);
    await positions.flush();
  }

  async close(): Promise<void> {
    this.#parts.watermarks.close();
    await this.#connection.close();
    // What was written just now is in the storage before the app goes on, and perhaps ends.
    await this.outbox.written();
    await this.#parts.watermarks.keep();
    await this.#parts.positions.flush();
  }

  #createConnection(): Connection {
    const { backoff, clock, log } = this.#options;
    const { tokens } = this.#identity;
    const { rest, synchronizer } = this.#parts;
    return new Connection({
      backoff,
      clock,
      log,
      tokens,
      openLink: (token, successor, signal) => this.#openLink(token, successor, signal),
      verify: (token) => rest.verify(token),
      prepare: () => synchronizer.hold(),
      catchUp: (signal) => this.#catchUp(signal),
      handleUp: (link, successor) => this.#handleUp(link, successor),
      handleDown: () => this.#handleDown(),
      handleStatus: (change) => {
        this.#statuses.emit("status", change);
        // The app gets an open client: the earlier changes are no news for it.
        if (this.#handedOver) this.#emitter.emit("status", change);
      },
      serverNow: () => rest.serverNow,
      changeClientId: () => this.#changeClientId(),
    });
  }

  #changeClientId(): boolean {
    this.#suffix = `~${3 + Math.floor(Math.random() * 7)}`;
    return !this.#isBound;
  }

  #openLink(token: Token, successor: boolean, signal: AbortSignal): Promise<Link> {
    const { mqttUrl: url, clock, fallback, fetch } = this.#options;
    const { deviceId } = this.#identity;
    const { handlePublish, uplink } = this.#parts;
    const own = deviceId + this.#suffix;
    // The same client id would end the link that is to be replaced.
    const free = successor && uplink.clientId === own ? deviceId + deviceSuffix : own;
    const clientId = token.boundClientId ?? free;
    this.#isBound = token.boundClientId !== null;
    // MQTT.js takes no foreign socket outside browsers.
    const falls = this.#fallsBack && fallback !== undefined && "document" in globalThis;
    const openSocket = falls ? () => fallback(url, fetch) : undefined;
    const opened = this.#open({ url, token, clientId, clock, signal, handlePublish, openSocket });
    return opened.catch((thrown) => {
      if (ChatError.fromUnknown(thrown).code === "connection_lost") this.#fallsBack = !this.#fallsBack;
      throw thrown;
    });
  }

  #handleUp(link: Link, successor: boolean): void {
    const { outbox, watermarks, presence, uplink } = this.#parts;
    uplink.use(link);
    if (successor) {
      outbox.resend();
    } else {
      outbox.setOnline(true);
      watermarks.setOnline(true);
      presence.refresh();
      this.conversations.fill();
      this.#check.start();
    }
  }

  #handleDown(): void {
    const { outbox, watermarks, presence, synchronizer, typing, uplink } = this.#parts;
    this.#check.stop();
    synchronizer.pause();
    watermarks.setOnline(false);
    outbox.setOnline(false);
    uplink.use(undefined);
    presence.forget();
    typing.forgetOthers();
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const { positions, synchronizer } = this.#parts;
    await synchronizer.catchUp(signal);
    this.#check.note();
    // From the first moment on: what comes from now on is news, even when this run ends at once.
    if (!this.#isNoted) await positions.flush();
    this.#isNoted = true;
  }

  /** The pause before a handler that failed gets its event again. After a close it has no end. */
  #pauseAfter(attempt: number): Promise<void> | undefined {
    if (attempt >= mostAttempts) return undefined;
    const { signal } = this.#connection;
    return delay(this.#options.clock, attempt * retryMs, signal).then(
      () => new Promise((resolve) => signal.aborted || resolve()),
    );
  }

  #handleOutboxChange(): void {
    if (this.#outboxChanged) return;
    this.#outboxChanged = true;
    queueMicrotask(() => {
      this.#outboxChanged = false;
      const { pending, failed } = this.outbox;
      this.#emitter.emit("outbox", { pending, failed });
    });
  }

  #report(thrown: unknown): void {
    this.#options.log.warn({ error: String(thrown) }, "a handler of the app or the storage failed");
    if (this.#reporting || !this.#emitter.has("error")) {
      // Without this line a mistake in an app's handler would never be found.
      console.error(thrown);
      return;
    }
    this.#reporting = true;
    this.#emitter.emit("error", { error: ChatError.fromUnknown(thrown) });
    this.#reporting = false;
  }

  #stop(reason: ChatError | null): void {
    this.#stopHints();
    this.#check.stop();
    this.#identity.tokens.close();
    this.#parts.typing.close();
    this.#parts.outbox.close(reason);
    this.#parts.watermarks.close();
  }
}

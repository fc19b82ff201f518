import type { CloseReason, ConnectAttempt, Delivery, Edge, EdgeHandler, Session } from "@chat21/engine";
import { ChatError, topicMatches, topics } from "@chat21/protocol";

/** One received delivery of a client. */
export interface RecordedFrame {
  readonly topic: string;
  /** The delivered text itself. */
  readonly payload: string;
  readonly qos: 0 | 1;
}

/** The fate of a delivery on its way to one client. `hold`: it comes when the test releases it. */
export type DeliveryFate = "deliver" | "lose" | "twice" | "hold";

/** One publish of a client. */
export interface EdgePublish {
  readonly session: Session;
  readonly topic: string;
  readonly payload: unknown;
}

/** A client of a {@link RecordingEdge}. It stands for a connection to a real edge. */
export interface RecordedClient {
  readonly session: Session;
  /** Everything that was delivered to it, in order. */
  readonly received: readonly RecordedFrame[];
  /** The server's reason for closing it; `null` while it is open, and when it left by itself. */
  readonly closedBecause: CloseReason | null;
  readonly isOpen: boolean;
  /**
   * Publishes; an object goes as JSON, text and bytes stay unchanged. Resolves when it would be acknowledged. When the
   * engine rejects it, the connection is closed, as a real edge does, and the rejection is passed on.
   */
  publish(topic: string, payload: unknown): Promise<void>;
  /** Subscribes to one more filter. `false`: refused; the connection stays. */
  subscribe(filter: string): boolean;
  /** Takes the first frame that matches and was not taken before; waits for one when there is none. */
  take(matches: (frame: RecordedFrame) => boolean): Promise<RecordedFrame>;
  /** Ends the connection, for any reason. */
  close(): void;
}

/** Settings of a connection to a {@link RecordingEdge}. */
export interface RecordedAttempt
  extends Pick<ConnectAttempt, "clientId" | "password">,
    Partial<Omit<ConnectAttempt, "clientId" | "password">> {
  /**
   * Called with every frame, one after the other, each in a turn of its own. Frames that are on the way at the end of
   * the connection are lost.
   */
  readonly handleFrame?: (frame: RecordedFrame) => void;
  /** Called once, when the connection is gone. */
  readonly handleEnd?: (reason: CloseReason | null) => void;
}

/**
 * An `Edge` without sockets: it keeps its deliveries, and lets a test connect and publish. It keeps every promise until
 * a test makes it break them.
 */
export interface RecordingEdge extends Edge {
  /** `false`: no client can connect. @default true */
  isReachable: boolean;
  /** The fate of a delivery to one client. @default "deliver" */
  fateOf: (frame: RecordedFrame, client: RecordedClient) => DeliveryFate;
  /** Whether a publish gets lost before it reaches the engine. @default never */
  loses: (publish: EdgePublish) => boolean;
  /** Publishes that reached the engine or were lost, in order. */
  readonly published: readonly EdgePublish[];
  /** Releases held deliveries, in order. */
  release(): void;
  /** Breaks every connection without a word; frames on the way are lost. */
  drop(): void;
  /** Resolves as soon as `condition` holds. It is checked after each publish, and when a client comes or goes. */
  until(condition: () => boolean): Promise<void>;
  /** The answer of `deliver`: a broker's promise that it has taken the deliveries. @default `undefined`, at once */
  taking: () => Promise<void> | undefined;
  readonly isPaused: boolean;
  /** Every change of {@link isPaused}, in order. */
  readonly pauses: readonly boolean[];
  /** Clients that are connected. */
  readonly clients: readonly RecordedClient[];
  /**
   * Connects and subscribes to the user's inbox. Another connection of the same client id is closed after the new
   * one is open. Rejects with the engine's refusal.
   */
  connect(attempt: RecordedAttempt): Promise<RecordedClient>;
}

/** Makes an edge that records. */
export function createRecordingEdge(): RecordingEdge {
  const clients = new Set<Client>();
  const pauses: boolean[] = [];
  const published: EdgePublish[] = [];
  const held: (() => void)[] = [];
  const waiting = new Set<() => void>();
  let handler: EdgeHandler | undefined;
  let resumed: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  const started = (): EdgeHandler => {
    if (handler === undefined) throw new Error("the edge was not started");
    return handler;
  };
  const changed = () => {
    for (const wake of [...waiting]) wake();
  };
  const clientsOf = (app: string, user: string) =>
    [...clients].filter(({ session }) => session.app === app && session.user === user);

  const edge: RecordingEdge = {
    isReachable: true,
    fateOf: () => "deliver",
    loses: () => false,
    published,
    taking: () => undefined,
    get isPaused() {
      return resumed !== undefined;
    },
    pauses,
    get clients() {
      return [...clients];
    },

    release() {
      for (const go of held.splice(0)) go();
    },

    drop() {
      for (const client of clients) client.close();
    },

    async until(condition) {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },

    async connect({ clientId, password, username = "JWT", address = "127.0.0.1", will, ...handlers }) {
      if (!edge.isReachable) throw new ChatError("connection_lost", "the edge is out of reach");
      const session = await started().authenticate({ clientId, username, password, address, will });
      if (!started().isAdmitted(session)) throw new ChatError("token_revoked");
      const client = new Client(session, gate, handlers);
      const former = [...clients].filter((other) => other.session.clientId === clientId);
      clients.add(client);
      started().handleOpen(session);
      for (const other of former) other.close();
      client.subscribe(topics.inbox(session.app, session.user));
      changed();
      return client;
    },

    async start(given) {
      handler = given;
    },

    reaches: (app, user) => clientsOf(app, user).length > 0,

    deliver(deliveries) {
      for (const delivery of deliveries) {
        for (const client of clientsOf(delivery.app, delivery.user)) client.receive(delivery);
      }
      return edge.taking();
    },

    disconnect(selector, reason) {
      const selected = [...clients].filter(({ session }) => {
        const { issuedBefore, expiredAt, tokenId, ...same } = selector;
        const keys = Object.keys(same) as (keyof typeof same)[];
        return (
          keys.every((key) => same[key] === undefined || same[key] === session[key]) &&
          (tokenId === undefined || session.tokenId === tokenId || session.family === tokenId) &&
          (issuedBefore === undefined || session.issuedAt < issuedBefore) &&
          (expiredAt === undefined || session.expiresAt <= expiredAt)
        );
      });
      for (const client of selected) client.end(reason);
      return selected.length;
    },

    setPaused(paused) {
      pauses.push(paused);
      if (paused) resumed ??= Promise.withResolvers<void>();
      else {
        resumed?.resolve();
        resumed = undefined;
      }
    },

    async close() {
      for (const client of clients) client.end("shutting_down");
    },
  };
  const gate: Gate = {
    reading: () => resumed?.promise,
    handler: started,
    loses(publish) {
      published.push(publish);
      const isLost = edge.loses(publish);
      changed();
      return isLost;
    },
    fateOf: (frame, client) => edge.fateOf(frame, client),
    hold: (go) => held.push(go),
    gone(client) {
      clients.delete(client);
      changed();
    },
  };
  return edge;
}

/** A client's way back to its edge. */
interface Gate {
  /** A promise while the edge does not read. */
  reading(): Promise<void> | undefined;
  handler(): EdgeHandler;
  /** Whether the publish gets lost. */
  loses(publish: EdgePublish): boolean;
  fateOf(frame: RecordedFrame, client: RecordedClient): DeliveryFate;
  hold(go: () => void): void;
  gone(client: Client): void;
}

class Client implements RecordedClient {
  readonly session: Session;
  readonly received: RecordedFrame[] = [];
  closedBecause: CloseReason | null = null;
  isOpen = true;
  readonly #gate: Gate;
  readonly #handlers: Pick<RecordedAttempt, "handleEnd" | "handleFrame">;
  readonly #filters = new Set<string>();
  readonly #taken = new Set<RecordedFrame>();
  #wake: (() => void)[] = [];

  constructor(session: Session, gate: Gate, handlers: Pick<RecordedAttempt, "handleEnd" | "handleFrame">) {
    this.session = session;
    this.#gate = gate;
    this.#handlers = handlers;
  }

  async publish(topic: string, payload: unknown): Promise<void> {
    if (this.#gate.loses({ session: this.session, topic, payload })) return;
    while (this.#gate.reading() !== undefined) await this.#gate.reading();
    try {
      await this.#gate.handler().handlePublish(this.session, { topic, payload: bytesOf(payload) });
    } catch (thrown) {
      this.end(ChatError.fromUnknown(thrown).code === "shutting_down" ? "shutting_down" : "forbidden");
      throw thrown;
    }
  }

  subscribe(filter: string): boolean {
    const allowed = this.#gate.handler().canSubscribe(this.session, filter, 0);
    if (allowed) this.#filters.add(filter);
    return allowed;
  }

  async take(matches: (frame: RecordedFrame) => boolean): Promise<RecordedFrame> {
    for (;;) {
      const found = this.received.find((frame) => !this.#taken.has(frame) && matches(frame));
      if (found !== undefined) {
        this.#taken.add(found);
        return found;
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#gate.gone(this);
    this.#gate.handler().handleClose(this.session);
    this.#handlers.handleEnd?.(this.closedBecause);
  }

  /** Closes the connection on behalf of the server. */
  end(reason: CloseReason): void {
    if (this.isOpen) this.closedBecause = reason;
    this.close();
  }

  receive({ topic, payload, qos }: Delivery): void {
    if (![...this.#filters].some((filter) => topicMatches(filter, topic))) return;
    const frame = { topic, payload, qos };
    const fate = this.#gate.fateOf(frame, this);
    if (fate === "hold") this.#gate.hold(() => this.#take(frame));
    else if (fate !== "lose") {
      this.#take(frame);
      if (fate === "twice") this.#take(frame);
    }
  }

  #take(frame: RecordedFrame): void {
    this.received.push(frame);
    for (const wake of this.#wake.splice(0)) wake();
    const { handleFrame } = this.#handlers;
    if (handleFrame !== undefined) setImmediate(() => this.isOpen && handleFrame(frame));
  }
}

function bytesOf(payload: unknown): Uint8Array {
  if (payload instanceof Uint8Array) return payload;
  return new TextEncoder().encode(typeof payload === "string" ? payload : JSON.stringify(payload));
}

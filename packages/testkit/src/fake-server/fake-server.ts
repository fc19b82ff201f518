import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  commandSchema,
  conversationIdOf,
  conversWithOf,
  looksLikeGroupId,
  parseClientTopic,
  topics,
} from "@chat21/protocol";
import type { FakeConnection } from "./fake-broker.ts";
import { FakeBroker } from "./fake-broker.ts";
import { readFakeToken } from "./fake-token.ts";
import type { ModelEvent } from "./model-log.ts";
import { ModelLog } from "./model-log.ts";

/** A REST request, as a test may answer it. */
export interface FakeRequest {
  readonly method: string;
  /** Below `/api`, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Without `Bearer`. */
  readonly token: string;
}

/** An answer to a REST request. */
export interface FakeReply {
  readonly status: number;
  readonly body?: unknown;
}

/** One publish of a client. */
export interface FakePublish {
  readonly connection: FakeConnection;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What happens to a message that comes in: stored and delivered, only stored, lost before, or refused with a code. */
export type SendFate =
  | "store"
  | "store-silently"
  | "lose"
  | { readonly code: string; readonly retryAfterMs?: number };

/** What happens to a live delivery. */
export type DeliveryFate = "deliver" | "lose" | "twice" | "hold";

/**
 * A Chat21 server to test clients against, in this process, on real sockets. It keeps its promises until a test makes it
 * break them: every answer and every delivery can be changed, held back, lost or repeated.
 */
export class FakeServer {
  readonly log: ModelLog;
  /** Publishes of clients, in order. */
  readonly published: FakePublish[] = [];
  /** REST requests, in order. */
  readonly requests: FakeRequest[] = [];
  /** What becomes of a P1. @default stored */
  fateOfSend: (publish: FakePublish) => SendFate = () => "store";
  /** What becomes of a delivery. @default delivered */
  fateOfDelivery: (topic: string, payload: string) => DeliveryFate = () => "deliver";
  /** CONNACK's code for a token; `null` closes without a word. @default 0 for every fake token */
  accept: (token: string, clientId: string) => number | null = () => 0;
  /** Answers a request itself, or leaves it to the model with `undefined`. */
  respond: (request: FakeRequest) => FakeReply | undefined | Promise<FakeReply | undefined> = () => undefined;
  /** `false`: nobody gets in, over whatever. */
  reachable = true;
  /** Whether SUBSCRIBE gets its SUBACK. */
  answersSubscriptions = true;
  readonly #broker: FakeBroker;
  readonly #http = createServer((request, response) => void this.#handleRequest(request, response));
  readonly #held: { readonly topic: string; readonly payload: string; readonly qos: 0 | 1 }[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(log = new ModelLog()) {
    this.log = log;
    this.#broker = new FakeBroker({
      authenticate: (token, clientId) => {
        const user = readFakeToken(token)?.user;
        return user === undefined ? { code: 4, user: "" } : { code: this.accept(token, clientId), user };
      },
      canSubscribe: ({ user }, filter) =>
        this.answersSubscriptions ? filter === topics.inbox(this.log.app, user) : null,
      handlePublish: (connection, topic, payload) => this.#handlePublish(connection, topic, payload),
      handleOpen: () => this.#changed(),
      handleClose: () => this.#changed(),
    });
    this.#http.on("upgrade", (request, socket, head) => {
      if (this.reachable) this.#broker.handleUpgrade(request, socket, head);
      else socket.destroy();
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  get connections(): readonly FakeConnection[] {
    return this.#broker.connections;
  }

  /** Drops every connection, as a lost network does. */
  drop(): void {
    for (const connection of this.connections) connection.drop();
  }

  /** Resolves as soon as `condition` holds; looked at whenever something came in or a connection changed. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Stores a message and delivers it to everybody concerned. */
  send(sender: string, recipient: string, body: Readonly<Record<string, unknown>>): ModelEvent {
    const known = this.log.find(sender, body["client_message_id"]);
    const event = this.log.send(sender, recipient, body);
    if (known === undefined) this.announce(event);
    else this.#deliverEvent(sender, event);
    return event;
  }

  /** Delivers an event to everybody who may see it. */
  announce(event: ModelEvent): void {
    for (const user of this.log.membersOf(event.conversation)) {
      const visible = this.log.visible(user, conversWithOf(event.conversation, user));
      if (visible.includes(event)) this.#deliverEvent(user, event);
    }
  }

  /** One publish to a user's connections. */
  deliver(topic: string, payload: unknown, qos: 0 | 1 = 1): void {
    const text = JSON.stringify(payload);
    const fate = this.fateOfDelivery(topic, text);
    if (fate === "hold") this.#held.push({ topic, payload: text, qos });
    else if (fate !== "lose") {
      for (let i = 0; i < (fate === "twice" ? 2 : 1); i++) this.#broker.deliver(topic, text, qos);
    }
  }

  /** Lets held deliveries go, in order. */
  release(): void {
    for (const { topic, payload, qos } of this.#held.splice(0)) this.#broker.deliver(topic, payload, qos);
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async close(): Promise<void> {
    this.#broker.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #deliverEvent(user: string, event: ModelEvent): void {
    const { app } = this.log;
    const entry = this.log.eventFor(user, event);
    if (entry.message === undefined) this.deliver(topics.event(app, user, entry.conversWith), entry);
    else this.deliver(topics.messageAdded(app, user, entry.conversWith), entry.message);
  }

  #handlePublish(connection: FakeConnection, topic: string, text: string): boolean {
    const payload = JSON.parse(text) as Record<string, unknown>;
    const publish = { connection, topic, payload };
    this.published.push(publish);
    const parsed = parseClientTopic(topic);
    if (parsed?.kind === "send") this.#handleSend(publish, parsed.recipient);
    else if (parsed?.kind === "command") this.#handleCommand(publish);
    else if (parsed?.kind === "conversation-update") {
      const { user, conversWith } = parsed;
      const patch = { ...payload, timelineOf: user, conversWith };
      this.deliver(topics.conversationUpdated(this.log.app, user, conversWith), patch);
    }
    this.#changed();
    return parsed !== null;
  }

  #handleSend(publish: FakePublish, recipient: string): void {
    const { user, clientId } = publish.connection;
    const { device, ...body } = publish.payload;
    const fate = this.fateOfSend(publish);
    if (fate === "store") this.send(user, recipient, body);
    else if (fate === "store-silently") this.log.send(user, recipient, body);
    else if (fate !== "lose") {
      const answer = {
        client_message_id: body["client_message_id"],
        code: fate.code,
        retry_after_ms: fate.retryAfterMs,
      };
      this.deliver(topics.answer(this.log.app, user, String(device ?? clientId)), answer);
    }
  }

  #handleCommand({ connection: { user, clientId }, payload }: FakePublish): void {
    const command = commandSchema.parse(payload);
    const { app } = this.log;
    if (command.type === "mark") {
      for (const { conversWith, ...mark } of command.marks) {
        const moved = this.log.mark(user, conversWith, mark);
        const receipt = { type: "receipt", user, ...moved };
        this.deliver(topics.ephemeral(app, user), { ...receipt, conversWith }, 0);
        if (!looksLikeGroupId(conversWith))
          this.deliver(topics.ephemeral(app, conversWith), { ...receipt, conversWith: user }, 0);
      }
    } else {
      const others = this.log
        .membersOf(conversationIdOf(user, command.conversWith))
        .filter((other) => other !== user);
      for (const other of others) {
        const conversWith = looksLikeGroupId(command.conversWith) ? command.conversWith : user;
        this.deliver(
          topics.ephemeral(app, other),
          { type: "typing", conversWith, user, typing: command.typing },
          0,
        );
      }
    }
    this.deliver(topics.answer(app, user, clientId), { request_id: command.request_id, code: "ok" });
  }

  async #handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.reachable) {
      request.destroy();
      return;
    }
    let text = "";
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url ?? "", this.url);
    const asked: FakeRequest = {
      method: request.method ?? "",
      path: url.pathname.replace(/^\/api/, ""),
      query: url.searchParams,
      body: text === "" ? undefined : JSON.parse(text),
      token: (request.headers.authorization ?? "").replace(/^Bearer /, ""),
    };
    this.requests.push(asked);
    const { status, body } = (await this.respond(asked)) ?? this.#answer(asked);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body ?? {}));
    this.#changed();
  }

  #answer({ method, path, query, body, token }: FakeRequest): FakeReply {
    const user = readFakeToken(token)?.user;
    if (user === undefined) return { status: 401, body: { code: "unauthorized" } };
    const segments = path.split("/").slice(1).map(decodeURIComponent);
    const route = `${method} ${segments.length === 5 ? [...segments.slice(0, 3), "*", segments[4]].join("/") : segments.join("/")}`;
    const { app } = this.log;
    if (route === `POST v1/${app}/sync`) return { status: 200, body: this.log.sync(user, body as never) };
    if (route === `GET v1/${app}/conversations/*/events`) {
      const answer = this.log.history(user, segments[3] ?? "", pageOf(query));
      return answer === null ? { status: 404, body: { code: "not_found" } } : { status: 200, body: answer };
    }
    if (route === `GET ${app}/getInfo`) return { status: 200, body: { v: "fake" } };
    return { status: 404, body: { code: "not_found" } };
  }

  #changed(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Starts a {@link FakeServer} on a free port of the loopback interface. */
export function startFakeServer(log?: ModelLog): Promise<FakeServer> {
  return new FakeServer(log).listen();
}

function pageOf(query: URLSearchParams) {
  const number = (name: string) => (query.has(name) ? { [name]: Number(query.get(name)) } : {});
  return { limit: 200, ...number("limit"), ...number("after"), ...number("before") };
}

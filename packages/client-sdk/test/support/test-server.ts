import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createServerKeys,
  createTokens,
  createVerifier,
  type IssueRequest,
  type Verifier,
} from "@chat21/auth";
import type { Actor, Clock, Engine, EngineOptions, EventRecord, Fact, SentMessage } from "@chat21/engine";
import { createEngine } from "@chat21/engine";
import { createHttpApi } from "@chat21/http-api";
import type { ConversationState } from "@chat21/protocol";
import { conversationIdOf } from "@chat21/protocol";
import { systemClock } from "@chat21/runtime";
import type { MemoryDisk, MemoryStore, RecordingEdge } from "@chat21/testkit";
import { createMemoryDisk, createMemoryStore, createRecordingEdge } from "@chat21/testkit";
import { pino } from "pino";
import { Registry } from "prom-client";
import { inPages } from "./in-pages.ts";

export const app = "tilechat";
const secret = "a secret of tests, and of nobody else";

/** A REST request. */
export interface TestRequest {
  readonly method: string;
  /** Below `/api`, without the query. */
  readonly path: string;
  readonly token: string;
}

/** An answer that a test gives instead of the server. */
export interface TestReply {
  readonly status: number;
  readonly body: unknown;
}

/** Options of a test server. */
export interface TestServerOptions extends Partial<Pick<EngineOptions, "apps" | "kinds" | "messageRate">> {
  /** The disk of an earlier server, with its data. @default a new disk */
  readonly disk?: MemoryDisk;
  /** Changed conversations in one answer, at most. @default as the engine wants it */
  readonly pageConversations?: number;
}

/**
 * The real engine and the real REST routes in this process, on a store in memory and an edge without sockets. REST goes over
 * the loopback interface.
 */
export class TestServer {
  readonly disk: MemoryDisk;
  readonly edge: RecordingEdge = createRecordingEdge();
  /** REST requests, in order. */
  readonly requests: TestRequest[] = [];
  /** The facts that webhooks would be told, in order. */
  readonly facts: Fact[] = [];
  /** Answers a request itself, or leaves it to the server with `undefined`. */
  respond: (request: TestRequest) => TestReply | undefined | Promise<TestReply | undefined> = () => undefined;
  readonly #http = createServer((request, response) => void this.#handle(request, response));
  #laterMs = 0;
  #stoppedAt: number | undefined;
  readonly #clock: Clock = { ...systemClock, now: () => this.now };
  readonly #tokens = createTokens({ secret, clock: this.#clock, newId: randomUUID });
  readonly #options: TestServerOptions;
  #running: Running | undefined;

  private constructor(options: TestServerOptions) {
    this.#options = options;
    this.disk = options.disk ?? createMemoryDisk();
  }

  static async open(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await server.#start(server.disk);
    await new Promise<void>((resolve) => server.#http.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  get engine(): Engine {
    return this.#now.engine;
  }

  get store(): MemoryStore {
    return this.#now.store;
  }

  /** `false`: nobody gets in, over whatever. */
  set isReachable(isReachable: boolean) {
    this.edge.isReachable = isReachable;
    if (!isReachable) this.edge.drop();
  }

  /** Milliseconds of the server's clock. */
  get now(): number {
    return (this.#stoppedAt ?? Date.now()) + this.#laterMs;
  }

  /** From now on only {@link pass} moves the server's clock. */
  stopClock(): void {
    this.#stoppedAt = Date.now();
  }

  /** Moves the server's clock on. */
  pass(byMs: number): void {
    this.#laterMs += byMs;
  }

  token(user: string, more: Partial<IssueRequest> = {}): string {
    return this.#tokens.issue({ app, user, profile: "compat", ...more }).token;
  }

  /** Somebody who needs no client writes a message. */
  send(sender: string, recipient: string, body: object): Promise<SentMessage> {
    return this.engine.messages.send(actor(sender), { recipient, body: JSON.stringify(body) });
  }

  /** Every token of the user made until now is no good any more, here and there. */
  async revoke(user: string): Promise<void> {
    const { engine, verifier } = this.#now;
    await verifier.revoke({ app, user });
    engine.handleRevocation({ app, user, issuedBefore: Number.MAX_SAFE_INTEGER });
  }

  createGroup(id: string, ...members: readonly [owner: string, ...others: string[]]): Promise<string> {
    return this.engine.groups.create(actor(members[0]), { id, name: `The ${id}`, members });
  }

  erase(conversWith: string, seqs: readonly number[], by: string): Promise<void> {
    return this.command(by, { type: "erase", conversWith, seqs });
  }

  /** A command of somebody who connects for nothing else. */
  async command(user: string, body: object): Promise<void> {
    const clientId = randomUUID();
    const client = await this.edge.connect({ clientId, password: this.token(user) });
    const requestId = randomUUID();
    await client.publish(`apps/${app}/outgoing/users/${user}/commands/${clientId}`, {
      ...body,
      request_id: requestId,
    });
    const { payload } = await client.take(({ payload: text }) => text.includes(requestId));
    client.close();
    if (!payload.includes('"code":"ok"')) throw new Error(payload);
  }

  /** What the server's list says of the user's conversations, in its order. */
  async states(user: string): Promise<ConversationState[]> {
    const states: ConversationState[] = [];
    for await (const text of this.engine.conversations.states(actor(user), user, null, {}))
      states.push(JSON.parse(text));
    return states;
  }

  /** Everything of a conversation that the user may see, ascending. */
  events(user: string, conversWith: string): Promise<readonly EventRecord[]> {
    const conversation = conversationIdOf(user, conversWith);
    return this.store.events.read({ app, conversation, limit: 1_000, from: "newest", visibleTo: user });
  }

  /** Texts of all messages that the user may see, ascending. */
  async texts(user: string, conversWith: string): Promise<string[]> {
    const events = await this.events(user, conversWith);
    return events.filter(({ type }) => type === "message").map(({ body }) => JSON.parse(body).text);
  }

  /** Goes on with another store, as after a restore from a backup. */
  async replaceStore(disk: MemoryDisk): Promise<void> {
    await this.#now.engine.drain();
    await this.#start(disk);
  }

  async close(): Promise<void> {
    this.edge.drop();
    await this.#now.engine.drain();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  get #now(): Running {
    if (this.#running === undefined) throw new Error("the server was not started");
    return this.#running;
  }

  async #start(disk: MemoryDisk): Promise<void> {
    const { disk: _, pageConversations, ...options } = this.#options;
    const store: MemoryStore = inPages(createMemoryStore({ disk }), pageConversations);
    const verifier = createVerifier({
      tokens: this.#tokens,
      revocations: store.revocations,
      clock: this.#clock,
    });
    const log = pino({ level: "silent" });
    const sink = { name: "recorded", accept: async (some: readonly Fact[]) => void this.facts.push(...some) };
    const engine = createEngine({
      rateLimits: options.messageRate !== undefined,
      ...options,
      store,
      edge: this.edge,
      tokens: verifier,
      clock: this.#clock,
      newId: randomUUID,
      log,
      metrics: { count() {}, observe() {} },
      sinks: [sink],
      presenceGraceMs: 50,
    });
    await engine.start();
    await this.edge.start(engine);
    const config = { rateLimits: { requests: 100_000, signIns: 100_000, authFailures: 100_000 } };
    const api = createHttpApi({
      engine,
      store,
      tokens: this.#tokens,
      verifier,
      serverKeys: createServerKeys({ store: store.serverKeys, clock: this.#clock, log }),
      clock: this.#clock,
      log,
      registry: new Registry(),
      config,
    });
    this.#running = { engine, store, verifier, api };
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.edge.isReachable) {
      request.destroy();
      return;
    }
    const asked: TestRequest = {
      method: request.method ?? "",
      path: new URL(request.url ?? "", this.url).pathname.replace(/^\/api/, ""),
      token: (request.headers.authorization ?? "").replace(/^Bearer /, ""),
    };
    this.requests.push(asked);
    const reply = await this.respond(asked);
    if (reply === undefined) {
      this.#now.api(request, response);
      return;
    }
    response.writeHead(reply.status, { "content-type": "application/json" }).end(JSON.stringify(reply.body));
  }
}

interface Running {
  readonly engine: Engine;
  readonly store: MemoryStore;
  readonly verifier: Verifier;
  readonly api: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Somebody on whose behalf the engine acts. */
export function actor(user: string, admin = false): Actor {
  return { app, user, admin };
}

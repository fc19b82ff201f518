import type { ServerTopic } from "@chat21/protocol";
import {
  answerSchema,
  conversationSchema,
  ephemeralSchema,
  eventSchema,
  groupSchema,
  messageSchema,
  parseServerTopic,
  receiptUpdateSchema,
  topics,
  validate,
} from "@chat21/protocol";
import type { ManualClock, MemoryDisk, RecordedClient, RecordingEdge } from "@chat21/testkit";
import { createManualClock, createMemoryDisk, createMemoryStore, createRecordingEdge } from "@chat21/testkit";
import type {
  Actor,
  Engine,
  EngineOptions,
  EventRecord,
  Fact,
  Identity,
  Invalidation,
  LeaseStore,
  RedeliveryLog,
  SentMessage,
  SharedStoreOptions,
  Store,
} from "../src/index.ts";
import { createEngine } from "../src/index.ts";

/** The app id that existing clients have built in. */
export const app = "tilechat";

/** A support desk's group id as the field has them: 71 characters. */
export const supportGroup = "support-group-65c5f7a1b2c3d4e5f6a7b8c9-0123456789abcdef0123456789abcdef";

/** What JSON text turns into; tests know its shape. */
export type Json = ReturnType<typeof JSON.parse>;

let ids = 0;

/**
 * What a world is made with; the engine's own options among it. Without `rateLimits` or `messageRate` users may do as much as
 * they like.
 */
export interface WorldOptions extends Partial<Omit<EngineOptions, "store" | "edge" | "clock" | "sinks">> {
  /** Hand the same disk to the next world to live on after a crash. @default a new one */
  readonly disk?: MemoryDisk;
  readonly clock?: ManualClock;
  /** Called before the sink takes facts, from the start on. @default nothing */
  readonly beforeSink?: World["beforeSink"];
  /** Whether a recording sink listens. Without any, the engine takes its shorter way. @default true */
  readonly listening?: boolean;
  /** Other worlds live on the same disk. @default this one alone */
  readonly neighbours?: Neighbours;
}

/** What worlds on the same disk have in common. */
export interface Neighbours {
  readonly leases: LeaseStore;
  /** Listeners of every world. */
  readonly invalidated: ((invalidation: Invalidation) => void)[];
}

/** What a neighbour shares with the others. */
export function shareWith(
  { leases, invalidated }: Neighbours,
  redeliveries: RedeliveryLog,
): SharedStoreOptions {
  return {
    holder: `process-${++ids}`,
    leases,
    redeliveries,
    invalidations: {
      send: (invalidation) => {
        for (const listener of invalidated) listener(invalidation);
      },
      onReceived: (listener) => void invalidated.push(listener),
    },
  };
}

/** The fact that has this kind among its kinds. */
type FactOf<Kind extends Fact["kind"], Member = Fact> = Member extends { kind: infer Kinds }
  ? Kind extends Kinds
    ? Member & Fact
    : never
  : never;

/** One running engine on a memory store, a manual clock and an edge without sockets. */
export class World {
  readonly disk: MemoryDisk;
  readonly clock: ManualClock;
  readonly edge: RecordingEdge;
  readonly store: Store;
  readonly engine: Engine;
  /** What the sink took, in order. */
  readonly facts: Fact[] = [];
  /** Everything counted, `name` or `name:label`. */
  readonly counted = new Map<string, number>();
  /** Called before the sink takes facts; throw to let it fail. */
  beforeSink: (facts: readonly Fact[]) => Promise<void> | void;
  /** Called at every await point of the store (`Gate`); throw to let the call fail there. */
  atStore: (point: string) => Promise<void> | void = () => {};

  private constructor(options: WorldOptions) {
    const {
      disk = createMemoryDisk("epoch-1"),
      clock = createManualClock(),
      listening = true,
      beforeSink = () => {},
      neighbours,
      ...given
    } = options;
    this.beforeSink = beforeSink;
    this.disk = disk;
    this.clock = clock;
    this.edge = createRecordingEdge();
    const store = createMemoryStore({ disk, gate: async (point) => this.atStore(point) });
    this.store = store;
    const sink = {
      name: "recorded",
      accept: async (facts: readonly Fact[]) => {
        await this.beforeSink(facts);
        this.facts.push(...facts);
      },
    };
    this.engine = createEngine({
      tokens: { verify: async (token) => JSON.parse(token) as Identity },
      newId: () => `id-${++ids}`,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      groupsFromMessages: ["group-", "support-group-"],
      metrics: { count: (name, labels, by) => this.#count(name, labels, by), observe() {} },
      rateLimits: given.messageRate !== undefined,
      ...given,
      ...(neighbours === undefined ? {} : { shared: shareWith(neighbours, store.redeliveries) }),
      store,
      edge: this.edge,
      clock,
      sinks: listening ? [sink] : [],
    });
  }

  /** A world whose engine has started and whose edge is open. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.engine.start();
    await world.edge.start(world.engine);
    return world;
  }

  /** Connects a user's device. */
  async connect(user: string, options: ConnectOptions = {}): Promise<Person> {
    const { clientId = `${user.slice(0, 40)}-device`, will, ...identity } = options;
    const password = tokenOf(user, identity);
    const client = await this.edge.connect({ clientId, password, ...(will === undefined ? {} : { will }) });
    return new Person(client);
  }

  /** Several users, connected, one device each. */
  async people<const Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ readonly [Index in keyof Names]: Person }> {
    const people = await Promise.all(names.map((name) => this.connect(name)));
    return people as unknown as { readonly [Index in keyof Names]: Person };
  }

  /** Sends as REST does. */
  send(sender: string, recipient: string, message: Json, admin = false): Promise<SentMessage> {
    return this.engine.messages.send(
      { app, user: sender, admin },
      { recipient, body: JSON.stringify(message) },
    );
  }

  /** Creates a group as `owner`, who is a member. */
  async createGroup(id: string, owner: string, ...members: readonly string[]): Promise<Json> {
    return JSON.parse(
      await this.engine.groups.create(as(owner), { id, name: "Team", members: [owner, ...members] }),
    );
  }

  /** What `user` reads with `conversWith`, oldest first. */
  async history(user: string, conversWith: string): Promise<readonly Json[]> {
    const texts = await allOf(this.engine.messages.list(as(user), user, conversWith, {}));
    return texts.map((text) => validate(messageSchema, JSON.parse(text))).reverse();
  }

  /** Texts of {@link history}. */
  async textsOf(user: string, conversWith: string): Promise<readonly string[]> {
    return (await this.history(user, conversWith)).map(({ text }) => text);
  }

  /** A user's list, newest first. */
  async list(user: string, archived = false): Promise<readonly Json[]> {
    const documents = await allOf(this.engine.conversations.list(as(user), user, archived, {}));
    return documents.map((text) => validate(conversationSchema, JSON.parse(text)));
  }

  /** A conversation's whole log as it is stored. */
  log(conversation: string): readonly EventRecord[] {
    const all = [...this.disk.conversations.values()];
    return all.find((found) => found.conversation === conversation)?.events ?? [];
  }

  /** Facts of one kind. */
  factsOf<Kind extends Fact["kind"]>(kind: Kind): readonly FactOf<Kind>[] {
    return this.facts.filter((fact): fact is FactOf<Kind> => fact.kind === kind);
  }

  /** How often something was counted, over all labels or with one (`refused:bad_request`). */
  count(name: string): number {
    return this.counted.get(name) ?? 0;
  }

  /** Lets everything that needs no time come to rest. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass: what comes to rest first may set timers that fall due within it. */
  async pass(elapsedMs: number): Promise<void> {
    const until = this.clock.now() + elapsedMs;
    while (this.clock.now() < until) {
      await this.rest();
      await this.clock.advance(Math.min(until - this.clock.now(), 100));
    }
    await this.rest();
  }

  #count(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    for (const key of [name, ...Object.values(labels).map((label) => `${name}:${label}`)]) {
      this.counted.set(key, this.count(key) + by);
    }
  }
}

/** How to connect. */
export interface ConnectOptions extends Partial<Omit<Identity, "user" | "clientId">> {
  /** @default `<user>-device` */
  readonly clientId?: string;
  /** The client id that the token is bound to. @default any */
  readonly boundTo?: string;
  readonly will?: { readonly topic: string; readonly payload: Uint8Array };
}

/** A token that the world's verifier takes. */
export function tokenOf(user: string, options: Omit<ConnectOptions, "clientId" | "will"> = {}): string {
  const { boundTo = null, ...given } = options;
  const identity: Identity = {
    app,
    user,
    admin: false,
    clientId: boundTo,
    tokenId: "",
    issuedAt: 0,
    expiresAt: Number.MAX_SAFE_INTEGER,
    ...given,
  };
  return JSON.stringify(identity);
}

/** An ordinary user as an actor. */
export function as(user: string): Actor {
  return { app, user, admin: false };
}

/** A backend as an actor. */
export const admin: Actor = { app, user: "backend", admin: true };

/** One frame, read. */
export type Frame = ServerTopic & {
  readonly topic: string;
  readonly qos: 0 | 1;
  /** The JSON, checked against the schema of its kind. */
  readonly body: Json;
  /** The very text. */
  readonly text: string;
};

const schemas = {
  "message-added": messageSchema,
  "message-updated": receiptUpdateSchema,
  "conversation-deleted": conversationSchema,
  "archived-conversation-added": conversationSchema,
  "group-updated": groupSchema,
  event: eventSchema,
  answer: answerSchema,
  ephemeral: ephemeralSchema,
} as const;

/** A connected device and what it saw. */
export class Person {
  readonly client: RecordedClient;
  readonly user: string;
  #from = 0;

  constructor(client: RecordedClient) {
    this.client = client;
    this.user = client.session.user;
  }

  /** P1. */
  send(recipient: string, message: Json): Promise<void> {
    return this.client.publish(topics.outgoing(app, this.user, recipient), message);
  }

  /** P2. */
  receive(conversWith: string, messageId: string, receipt: Json = { status: 200 }): Promise<void> {
    return this.client.publish(topics.receipt(app, this.user, conversWith, messageId), receipt);
  }

  /** P3. */
  update(conversWith: string, patch: Json): Promise<void> {
    return this.client.publish(topics.conversationUpdate(app, this.user, conversWith), patch);
  }

  /** P4. */
  archive(conversWith: string, payload: Json = {}): Promise<void> {
    return this.client.publish(topics.conversationArchive(app, this.user, conversWith), payload);
  }

  /** P5 and P6. */
  announce(presence: Json): Promise<void> {
    return this.client.publish(topics.presence(app, this.user, this.client.session.clientId), presence);
  }

  /** A command of this device; the request id is `r` unless the command has one. */
  command(command: Json): Promise<void> {
    const topic = topics.command(app, this.user, this.client.session.clientId);
    return this.client.publish(topic, { request_id: "r", ...command });
  }

  /** Everything received since {@link forget}, in order. */
  get frames(): readonly Frame[] {
    return this.client.received.slice(this.#from).map(({ topic, payload, qos }) => {
      const parsed = parseServerTopic(topic);
      if (parsed === null) throw new Error(`nobody knows the topic ${topic}`);
      const json: Json = JSON.parse(payload);
      const schema = schemas[parsed.kind as keyof typeof schemas];
      const body: Json = schema === undefined ? json : validate(schema, json);
      return { ...parsed, topic, qos, body, text: payload };
    });
  }

  /** The frames' kinds, in order. */
  get kinds(): readonly string[] {
    return this.frames.map(({ kind }) => kind);
  }

  /** Bodies of the frames of one kind. */
  bodies(kind: Frame["kind"]): readonly Json[] {
    return this.frames.filter((frame) => frame.kind === kind).map(({ body }) => body);
  }

  /** Messages (S1), of one conversation or of all. */
  messages(conversWith?: string): readonly Json[] {
    return this.frames
      .filter(
        (frame) => frame.kind === "message-added" && (conversWith ?? frame.conversWith) === frame.conversWith,
      )
      .map(({ body }) => body);
  }

  /** Texts of {@link messages}. */
  texts(conversWith?: string): readonly string[] {
    return this.messages(conversWith).map(({ text }) => text);
  }

  /** Answers to this device. */
  get answers(): readonly Json[] {
    return this.bodies("answer");
  }

  /** Looks only at what comes from now on. */
  forget(): void {
    this.#from = this.client.received.length;
  }
}

/** Everything that a generator yields. */
export async function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

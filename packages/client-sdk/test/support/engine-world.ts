import type { Engine, EventRecord, Store } from "@chat21/engine";
import { createEngine } from "@chat21/engine";
import type { MemoryDisk } from "@chat21/testkit";
import { createMemoryDisk, createMemoryStore, createRecordingEdge } from "@chat21/testkit";
import { inPages } from "./in-pages.ts";
import { restoredDisk } from "./restored-disk.ts";
import { actor, app } from "./test-server.ts";

/** Options of an engine. */
export interface EngineWorldOptions {
  /** Changed conversations in one answer, at most. @default as the engine wants it */
  readonly pageConversations?: number;
}

/** A real engine on a store in memory, whose time goes on by a second with every message; nothing happens by itself. */
export class EngineWorld {
  readonly edge = createRecordingEdge();
  #disk: MemoryDisk = createMemoryDisk();
  #now = 1_700_000_000_000;
  #ids = 0;
  readonly #options: EngineWorldOptions;
  #store: Store;
  #engine: Engine;

  private constructor(options: EngineWorldOptions) {
    this.#options = options;
    this.#store = this.#createStore();
    this.#engine = this.#createEngine();
  }

  static async start(options: EngineWorldOptions = {}): Promise<EngineWorld> {
    const world = new EngineWorld(options);
    await world.edge.start(world.#engine);
    return world;
  }

  get engine(): Engine {
    return this.#engine;
  }

  get epoch(): string {
    return this.#disk.epoch;
  }

  get now(): number {
    return this.#now;
  }

  /** Answers the sender's copy. */
  async send(sender: string, recipient: string, body: object): Promise<string> {
    this.#now += 1_000;
    const request = { recipient, body: JSON.stringify(body) };
    return (await this.#engine.messages.send(actor(sender), request)).message;
  }

  /** Stored conversations of which the user is, or was, a member. */
  conversationsOf(user: string): string[] {
    const mine = [...this.#disk.conversations.values()].filter(({ members }) => members.has(user));
    return mine.map(({ conversation }) => conversation);
  }

  /** Everything that the user may see, ascending. */
  visible(user: string, conversation: string): Promise<readonly EventRecord[]> {
    return this.#store.events.read({ app, conversation, limit: 1_000, from: "newest", visibleTo: user });
  }

  isMember(user: string, group: string): boolean {
    const found = [...this.#disk.conversations.values()].find(({ conversation }) => conversation === group);
    return found?.members.get(user)?.intervals.at(-1)?.[1] === null;
  }

  /** As after a restore from a backup: see {@link restoredDisk}. Connections stay. */
  async restore(share: number): Promise<void> {
    await this.#engine.drain();
    this.#disk = restoredDisk(this.#disk, share);
    this.#store = this.#createStore();
    this.#engine = this.#createEngine();
    await this.edge.start(this.#engine);
  }

  #createStore(): Store {
    return inPages(createMemoryStore({ disk: this.#disk }), this.#options.pageConversations);
  }

  #createEngine(): Engine {
    return createEngine({
      rateLimits: false,
      store: this.#store,
      edge: this.edge,
      tokens: { verify: async (user) => ({ ...actor(user), clientId: null, ...neverEnding }) },
      clock: {
        now: () => this.#now,
        elapsed: () => this.#now,
        every: () => () => undefined,
        delay: () => new Promise((resolve) => setImmediate(resolve)),
        soon: (run) => void setImmediate(run),
      },
      newId: () => `id-${++this.#ids}`,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: { count() {}, observe() {} },
    });
  }
}

const neverEnding = { tokenId: "", issuedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER };

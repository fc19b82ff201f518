import { ChatError, conversationIdOf, messageSchema, validate } from "@chat21/protocol";
import { projectMessage } from "../../src/conversation/project-message.ts";
import { OutboxQueue } from "../../src/outbox/outbox.ts";
import type { OutboxRecord } from "../../src/outbox/outbox-entry.ts";
import type { RecordStore } from "../../src/outbox/record-store.ts";
import { EngineWorld } from "./engine-world.ts";
import { ManualClock, settle } from "./manual-clock.ts";

const me = "alice";

/** An outbox between a storage that survives crashes and a real engine; every hop waits for the test. */
export class OutboxWorld {
  readonly clock = new ManualClock();
  readonly server: EngineWorld;
  /** Client ids by recipient, in the order in which they were durable. */
  readonly accepted: { readonly to: string; readonly id: string }[] = [];
  readonly resolved: { readonly id: string; readonly seq: number }[] = [];
  readonly #kept = new Map<string, OutboxRecord>();
  readonly #window: number;
  #outbox: OutboxQueue;
  #onTheWay: OutboxRecord[] = [];
  #copies: { readonly id: string; readonly copy: () => void }[] = [];
  #count = 0;
  #life = 0;

  private constructor(server: EngineWorld, window: number) {
    this.server = server;
    this.#window = window;
    this.#outbox = this.#start();
  }

  static async open(window: number): Promise<OutboxWorld> {
    return new OutboxWorld(await EngineWorld.start(), window);
  }

  get outbox(): OutboxQueue {
    return this.#outbox;
  }

  async add(to: string): Promise<void> {
    const id = `m-${++this.#count}`;
    this.#outbox.add(to, { text: id }, id).then(
      ({ seq }) => this.resolved.push({ id, seq }),
      () => undefined,
    );
    await settle();
    if (this.#kept.has(id)) this.accepted.push({ to, id });
  }

  /** The next publish reaches the server, gets lost, or is refused for now. */
  async take(fate: "store" | "lose" | "refuse"): Promise<void> {
    const record = this.#onTheWay.shift();
    if (record === undefined || fate === "lose") return;
    const { clientMessageId: id, to, body } = record;
    if (fate === "refuse") {
      this.#outbox.refuse(id, new ChatError("rate_limited", undefined, { retryAfterMs: 50 }));
      return;
    }
    const life = this.#life;
    const text = await this.server.send(me, to, { ...body, client_message_id: id });
    const wire = validate(messageSchema, JSON.parse(text));
    const message = projectMessage(wire, { user: me, conversWith: to, counterpart: null });
    const copy = () => {
      if (life !== this.#life) return;
      this.#outbox.settle(id, message);
      this.#outbox.forget(id);
    };
    this.#copies.push({ id, copy });
  }

  /** The next own copy comes back, twice, or gets lost. */
  comeBack(fate: "once" | "twice" | "lost"): void {
    const next = this.#copies.shift();
    if (fate !== "lost") next?.copy();
    if (fate === "twice") next?.copy();
  }

  setOnline(online: boolean): void {
    if (!online) this.#breakConnection();
    this.#outbox.setOnline(online);
  }

  /** The process dies, and another one begins with what the storage has. */
  async crash(): Promise<void> {
    this.#breakConnection();
    this.#life += 1;
    this.#outbox = this.#start();
    await this.#outbox.load();
  }

  async quiesce(): Promise<void> {
    this.#outbox.setOnline(true);
    for (let quiet = 0; quiet < 3; ) {
      const busy = this.#onTheWay.length + this.#copies.length + this.#outbox.pending > 0;
      while (this.#onTheWay.length > 0) await this.take("store");
      while (this.#copies.length > 0) this.comeBack("once");
      await this.clock.advance(60_000);
      quiet = busy ? 0 : quiet + 1;
    }
  }

  /** Client ids in the server's order. */
  async stored(to: string): Promise<(string | null)[]> {
    const events = await this.server.visible(me, conversationIdOf(me, to));
    return events.map(({ clientMessageId }) => clientMessageId);
  }

  /** The number that the message with this client id has. */
  async numberOf(id: string): Promise<number | undefined> {
    const all = await Promise.all(
      ["bob", "carol"].map((to) => this.server.visible(me, conversationIdOf(me, to))),
    );
    return all.flat().find(({ clientMessageId }) => clientMessageId === id)?.seq;
  }

  get left(): number {
    return this.#kept.size;
  }

  #breakConnection(): void {
    this.#onTheWay = [];
    this.#copies = [];
  }

  #start(): OutboxQueue {
    const life = this.#life;
    const store: RecordStore<OutboxRecord> = {
      list: async () => [...this.#kept.values()],
      put: async (record) => {
        if (life === this.#life) this.#kept.set(record.clientMessageId, record);
      },
      delete: async (id) => {
        if (life === this.#life) this.#kept.delete(id);
      },
    };
    return new OutboxQueue({
      user: me,
      store,
      clock: this.clock,
      window: this.#window,
      newId: () => `again-${++this.#count}`,
      publish: (record) => {
        if (life === this.#life) this.#onTheWay.push(record);
      },
      dispatch: () => undefined,
      handleChange: () => undefined,
      handleError: (error) => {
        throw error;
      },
    });
  }
}

import { type FilterSource, outgoingTopic, type Target } from "../targets/target.ts";
import { Ledger } from "./ledger.ts";
import {
  type ClientKind,
  createTemplate,
  findId,
  type MessageTemplate,
  messageIdentity,
  numberCopy,
  numberOf,
  streamOf,
} from "./message-template.ts";
import { RawClient } from "./raw-client.ts";

/** Messages of one sender to one user or group. */
export interface StreamPlan {
  readonly sender: string;
  readonly recipient: string;
  /** The users who must get them; the sender counts only when it is named. */
  readonly receivers: readonly string[];
  readonly source: FilterSource;
}

/** Options of a {@link LoadRun}. */
export interface LoadRunOptions {
  /** @default "sdk" */
  readonly client?: ClientKind;
  /** Whether copies that come again are compared by their message id. @default `false`: it takes time */
  readonly comparesIds?: boolean;
}

interface Stream {
  readonly client: RawClient;
  readonly template: MessageTemplate;
  readonly ledger: Ledger;
  /** Place of each receiver in the ledger. */
  readonly places: ReadonlyMap<string, number>;
}

/**
 * Streams of all runs of this process have different numbers: a store that outlives a run has no ids of the next one.
 */
let streamsMade = 0;

/** Connected users and the streams of messages between them. */
export class LoadRun {
  readonly #streams: Stream[] = [];
  readonly #firstStream = streamsMade;
  readonly #clients = new Map<string, RawClient>();
  /** Every user sends at most one stream, so that its acknowledgements are that stream's. */
  readonly #sentBy = new Map<string, Ledger>();
  #closed = 0;
  #isClosing = false;
  #comparesIds = false;
  /** Called when all receivers have a message. */
  handleDelivered: (stream: number, latencyMs: number) => void = () => {};

  /** Connects everybody, subscribes, and is ready to send. */
  static async open(
    target: Target,
    plans: readonly StreamPlan[],
    { client = "sdk", comparesIds = false }: LoadRunOptions = {},
  ): Promise<LoadRun> {
    const run = new LoadRun();
    run.#comparesIds = comparesIds;
    for (const plan of plans) {
      for (const user of new Set([plan.sender, ...plan.receivers])) await run.#join(target, user, plan);
    }
    plans.forEach((plan) => {
      const ledger = new Ledger(plan.receivers.length);
      run.#sentBy.set(plan.sender, ledger);
      run.#streams.push({
        client: run.#clients.get(plan.sender) as RawClient,
        template: createTemplate({
          topic: target.topic?.(plan.sender, plan.recipient) ?? outgoingTopic(plan.sender, plan.recipient),
          stream: streamsMade++,
          sender: plan.sender,
          recipient: plan.recipient,
          channelType: "group" in plan.source ? "group" : "direct",
          client,
        }),
        ledger,
        places: new Map(plan.receivers.map((user, place) => [user, place])),
      });
    });
    return run;
  }

  get ledgers(): readonly Ledger[] {
    return this.#streams.map(({ ledger }) => ledger);
  }

  /** Connections that the server has closed. */
  get dropped(): number {
    return this.#closed;
  }

  get isComplete(): boolean {
    return this.#streams.every(({ ledger }) => ledger.isComplete);
  }

  send(index: number): void {
    const { client, template, ledger } = this.#streams[index] as Stream;
    const number = ledger.send(performance.now());
    const { buffer, at } = client.send(template.packet);
    numberCopy(buffer, at, template, number);
  }

  close(): void {
    this.#isClosing = true;
    for (const client of this.#clients.values()) client.close();
  }

  async #join(target: Target, user: string, plan: StreamPlan): Promise<void> {
    if (this.#clients.has(user)) return;
    const client = await RawClient.connect(
      { url: target.urlOf?.(user) ?? target.url, clientId: user, password: target.password(user) },
      {
        handlePublish: (buffer, start, end) => this.#receive(user, buffer, start, end),
        handlePuback: () => this.#sentBy.get(user)?.acknowledge(),
        handleClose: () => {
          if (!this.#isClosing) this.#closed++;
        },
      },
    );
    this.#clients.set(user, client);
    const filter = target.filter(user, plan.receivers.includes(user) ? plan.source : null);
    if (filter !== null) await client.subscribe(filter, 1);
  }

  #receive(user: string, buffer: Buffer, start: number, end: number): void {
    const id = findId(buffer, start, end);
    if (id < 0) return;
    const index = streamOf(buffer, id) - this.#firstStream;
    const stream = this.#streams[index];
    if (stream === undefined) return;
    const { ledger, places } = stream;
    const place = places.get(user);
    if (place === undefined) return;
    const identity = this.#comparesIds ? messageIdentity(buffer, start, end) : 0;
    const latencyMs = ledger.receive(place, numberOf(buffer, id), performance.now(), identity);
    if (latencyMs >= 0) this.handleDelivered(index, latencyMs);
  }
}

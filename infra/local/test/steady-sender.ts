import { setTimeout as delay } from "node:timers/promises";
import type { OldClient, World } from "@chat21/testkit";

/**
 * An old client that publishes `m0`, `m1`, … with QoS 1 and does not wait for PUBACKs. When it loses its connection, it
 * opens another one and publishes all unacknowledged messages again, in order.
 */
export class SteadySender {
  readonly user: string;
  readonly recipient: string;
  readonly #world: World;
  readonly #hasIds: boolean;
  readonly #unacknowledged = new Set<number>();
  readonly #done: Promise<void>;
  #client: OldClient | undefined;
  #sent = 0;
  #acknowledged = 0;
  #isWanted = true;

  constructor(world: World, { recipient, hasIds }: SteadySenderOptions) {
    this.user = world.newUser("sender");
    this.recipient = recipient;
    this.#world = world;
    this.#hasIds = hasIds;
    this.#done = this.#run();
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Number of messages published at least once. The next one is `m<sent>`. */
  get sent(): number {
    return this.#sent;
  }

  /** Stops sending, and waits for nothing. */
  abandon(): void {
    this.#isWanted = false;
    this.#unacknowledged.clear();
  }

  /** Stops sending. Resolves with all texts, in order, when all are acknowledged. */
  async stop(): Promise<readonly string[]> {
    this.#isWanted = false;
    await this.#done;
    return Array.from({ length: this.#sent }, (_, n) => `m${n}`);
  }

  async #run(): Promise<void> {
    while (this.#isWanted || this.#unacknowledged.size > 0) {
      const client = this.#client ?? (await this.#connect());
      if (client !== undefined && this.#isWanted) this.#publish(client, this.#sent++);
      await delay(paceMs);
    }
  }

  async #connect(): Promise<OldClient | undefined> {
    const client = await this.#world.connect(this.user, { presence: false }).catch(() => undefined);
    if (client === undefined) return undefined;
    this.#client = client;
    void client.closed.then(() => {
      if (this.#client === client) this.#client = undefined;
    });
    for (const n of this.#unacknowledged) this.#publish(client, n);
    return client;
  }

  #publish(client: OldClient, n: number): void {
    this.#unacknowledged.add(n);
    const id = this.#hasIds ? { client_message_id: `id-${n}` } : {};
    client.send(this.recipient, { text: `m${n}`, type: "text", channel_type: "direct", ...id }, 1).then(
      () => {
        if (this.#unacknowledged.delete(n)) this.#acknowledged += 1;
      },
      () => {
        // The connection is gone. The next one publishes the message again.
      },
    );
  }
}

/** Time between two messages of one sender. */
const paceMs = 25;

/** Settings of a {@link SteadySender}. */
export interface SteadySenderOptions {
  readonly recipient: string;
  /** Whether messages carry a `client_message_id`. */
  readonly hasIds: boolean;
}

/** Returns the texts of a direct conversation from the history, oldest first. */
export async function textsBetween(world: World, user: string, peer: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let before = ""; ; ) {
    const path = `tilechat/${user}/conversations/${peer}/messages?limit=1000${before}`;
    const { status, body } = await world.rest(user).get(path);
    if (status !== 200) throw new Error(`history: ${status}`);
    if (body.result.length === 0) return texts.reverse();
    texts.push(...body.result.map(({ text }: { readonly text: string }) => text));
    before = `&before=${body.result.at(-1).seq}`;
  }
}

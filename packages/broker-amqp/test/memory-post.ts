import type { Delivery } from "@chat21/engine";
import { NodeNetwork } from "../src/nodes/node-network.ts";
import type { NodeRole, NodeSession } from "../src/nodes/node-words.ts";
import type { ManualTimers } from "./manual-timers.ts";

interface Word {
  readonly from: string;
  readonly type: string;
  readonly content: Buffer;
}

interface MemoryQueue {
  readonly role: NodeRole;
  words: Word[];
  isHeld: boolean;
  readonly take: (word: Word) => void;
}

/** A broker in memory: a queue for each node, in order, which a test may hold up, cut, or empty. */
export class MemoryPost {
  readonly #queues = new Map<string, MemoryQueue>();
  #isTurnDue = false;

  /** A queue that hands its words to `take`, one turn after they were sent. */
  open(name: string, role: NodeRole, take: (word: Word) => void): void {
    this.#queues.set(name, { role, words: [], isHeld: false, take });
  }

  /** The node's connection is gone, and with it the queue. */
  cut(name: string): void {
    this.#queues.delete(name);
  }

  hold(name: string, isHeld: boolean): void {
    const queue = this.#queues.get(name);
    if (queue !== undefined) queue.isHeld = isHeld;
    this.#handOut();
  }

  /** Forgets what waits for the node. */
  empty(name: string): void {
    this.#queues.get(name)?.words.splice(0);
  }

  /** What waits for the node comes twice. */
  double(name: string): void {
    const queue = this.#queues.get(name);
    if (queue !== undefined) queue.words = queue.words.flatMap((word) => [word, word]);
  }

  send(to: string, word: Word, onReturned: () => void): void {
    const queue = this.#queues.get(to);
    if (queue === undefined) setImmediate(onReturned);
    else queue.words.push(word);
    this.#handOut();
  }

  /** From a node to all, from an observer to the nodes; answers whether there is any. */
  sendToAll(word: Word): boolean {
    const isFromNode = this.#queues.get(word.from)?.role === "node";
    const queues = [...this.#queues.values()].filter(({ role }) => isFromNode || role === "node");
    for (const { words } of queues) words.push(word);
    this.#handOut();
    return queues.length > 0;
  }

  #handOut(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      for (const { words, isHeld, take } of [...this.#queues.values()]) {
        if (!isHeld) for (const word of words.splice(0)) take(word);
      }
    });
  }
}

/** A node on a {@link MemoryPost}, and what happened to it. */
export class TestNode {
  readonly network: NodeNetwork;
  readonly received: string[] = [];
  /** Deliveries that were handed to RabbitMQ's plugin. */
  readonly published: string[] = [];
  readonly arrivedElsewhere: string[] = [];
  readonly broken: string[] = [];
  missed = 0;
  readonly #post: MemoryPost;
  readonly #label: string;
  readonly #role: NodeRole;
  #names = 0;

  constructor(label: string, post: MemoryPost, timers: ManualTimers, role: NodeRole = "node") {
    this.#label = label;
    this.#role = role;
    this.#post = post;
    const sent = (type: string, content: Buffer): Word => ({ from: this.name, type, content });
    this.network = new NodeNetwork({
      role,
      post: {
        async send(to, type, content, onReturned) {
          post.send(to, sent(type, content), onReturned);
        },
        async sendToAll(type, content) {
          return post.sendToAll(sent(type, content));
        },
      },
      timers,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: { count() {}, observe() {} },
      publishToPlugin: async (deliveries) => {
        this.published.push(...deliveries.map(({ payload }) => payload));
      },
      onDeliveries: (deliveries) => this.received.push(...deliveries.map(({ payload }) => payload)),
      onArrivalElsewhere: ({ user, clientId }) => void this.arrivedElsewhere.push(`${user} ${clientId}`),
      onMissed: () => {
        this.missed += 1;
      },
      onBroken: ({ message }) => void this.broken.push(message),
    });
  }

  get name(): string {
    return `${this.#label}-${this.#names}`;
  }

  /** Comes to the others. The caller moves the time on. */
  join(): Promise<void> {
    this.#names += 1;
    const { name } = this;
    this.#post.open(name, this.#role, ({ from, type, content }) => this.network.receive(from, type, content));
    return this.network.join(name);
  }

  /** Loses its connection to the broker. */
  leave(): void {
    this.#post.cut(this.name);
    this.network.leave();
  }

  deliver(user: string, ...texts: readonly string[]): Promise<void> | undefined {
    return this.network.deliver(texts.map((text) => deliveryTo(user, text)));
  }
}

export function sessionOf(user: string, clientId = `${user}-phone`): NodeSession {
  return { app: "tilechat", user, clientId };
}

function deliveryTo(user: string, payload: string): Delivery {
  const topic = `apps/tilechat/users/${user}/messages/x/clientadded`;
  return { app: "tilechat", user, topic, payload, qos: 1 };
}

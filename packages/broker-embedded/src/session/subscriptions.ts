import { topicMatches, topics } from "@chat21/protocol";

/** The subscribed filters of one connection, each with its granted QoS. */
export class Subscriptions {
  /** The filter that nearly all clients use. It has a field of its own, because it is fast to match. */
  readonly #inbox: string;
  readonly #root: string;
  /** -1: not subscribed. */
  #inboxQos: 0 | 1 | -1 = -1;
  #others: Map<string, 0 | 1> | null = null;

  constructor(app: string, user: string) {
    this.#inbox = topics.inbox(app, user);
    this.#root = this.#inbox.slice(0, -"/#".length);
  }

  get size(): number {
    return (this.#others?.size ?? 0) + (this.#inboxQos === -1 ? 0 : 1);
  }

  has(filter: string): boolean {
    return filter === this.#inbox ? this.#inboxQos !== -1 : this.#others?.has(filter) === true;
  }

  set(filter: string, qos: 0 | 1): void {
    if (filter === this.#inbox) {
      this.#inboxQos = qos;
    } else {
      this.#others ??= new Map();
      this.#others.set(filter, qos);
    }
  }

  /** Answers whether the filter was subscribed. */
  delete(filter: string): boolean {
    if (filter !== this.#inbox) return this.#others?.delete(filter) === true;
    const had = this.#inboxQos !== -1;
    this.#inboxQos = -1;
    return had;
  }

  /** The highest QoS of the matching filters ([MQTT-3.3.5-1]), or -1 when none matches. */
  qosOf(topic: string): 0 | 1 | -1 {
    let highest: 0 | 1 | -1 = this.#inboxQos !== -1 && this.#isInTree(topic) ? this.#inboxQos : -1;
    if (this.#others === null) return highest;
    for (const [filter, qos] of this.#others) {
      if (qos > highest && topicMatches(filter, topic)) highest = qos;
    }
    return highest;
  }

  /** Says whether the inbox filter matches `topic`. `#` also matches the level before it ([MQTT-4.7.1-2]). */
  #isInTree(topic: string): boolean {
    const { length } = this.#root;
    return topic.startsWith(this.#root) && (topic.length === length || topic.charCodeAt(length) === slash);
  }
}

const slash = 0x2f;

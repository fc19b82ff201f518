import type { Delivery, Log, Metrics } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { Timers } from "../timers.ts";
import { Announcements } from "./announcements.ts";
import { NodeDeliveries } from "./node-deliveries.ts";
import { nodeLimits } from "./node-limits.ts";
import type { NodeRole, NodeSession, NodeWords, NodeWordType, UserChange } from "./node-words.ts";
import { numberBytes, numbered } from "./node-words.ts";
import { decodeDeliveries } from "./parcels.ts";
import { UserTable } from "./user-table.ts";

/** The way from node to node. Words of one sender to one receiver arrive in order. */
export interface NodePost {
  /** Sends to one node; `onReturned` is called when it is no more. Resolves when it is on its way for sure. */
  send(to: string, type: NodeWordType | "beat", content: Buffer, onReturned: () => void): Promise<void>;
  /**
   * Sends to everybody whom we deliver to: from a node to all, from an observer to the nodes. Answers whether somebody is
   * there, oneself included.
   */
  sendToAll(type: "hello" | "joined", content: Buffer): Promise<boolean>;
}

/** Options of {@link NodeNetwork}. */
export interface NodeNetworkOptions {
  readonly role: NodeRole;
  readonly post: NodePost;
  /** @default `nodeLimits.listenMs` */
  readonly listenMs?: number | undefined;
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Hands a node's deliveries to RabbitMQ's MQTT plugin, whose clients observers serve. Resolves when it has them. */
  readonly publishToPlugin: (deliveries: readonly Delivery[]) => Promise<void>;
  /** Hands deliveries of others to the connections here. */
  readonly onDeliveries: (deliveries: readonly Delivery[]) => void;
  /** A client has connected elsewhere: its connection here, if there is one, ends. */
  readonly onArrivalElsewhere: (session: NodeSession) => void;
  /** Deliveries of others may have been missed: clients must catch up from history. */
  readonly onMissed: () => void;
  /** A word came that should not: the node must come again under another name. */
  readonly onBroken: (error: Error) => void;
}

interface Peer {
  /** The number of our last word to it. */
  sent: number;
  /** The number of its last word to us. */
  received: number;
  /** The number of the last word with users that it has noted. */
  noted: number;
  isNoteDue: boolean;
}

/**
 * Brings deliveries to the nodes that have the users' connections, and to RabbitMQ's plugin where observers serve its
 * clients (ADR 0017). Each node tells the others who is connected, before the client hears that it is. A node delivers
 * only while it knows that its queue exists; when it does not know for how long it was away, it comes again under
 * another name, and its clients connect again.
 */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #table = new UserTable();
  readonly #peers = new Map<string, Peer>();
  readonly #announcements: Announcements;
  readonly #deliveries: NodeDeliveries;
  #name: string | null = null;
  #formerly: string | null = null;
  #isJoined = false;
  #isClosed = false;
  #joined = Promise.withResolvers<void>();
  #trustedUntil = 0;
  #stops: (() => void)[] = [];

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    this.#announcements = new Announcements({
      timers: options.timers,
      name: () => this.#name,
      tell: (changes) => this.#tell(changes),
      hasNoted: (node, number) => (this.#peers.get(node)?.noted ?? number) >= number,
    });
    this.#deliveries = new NodeDeliveries({
      table: this.#table,
      isReady: () => this.isReady,
      isJoined: () => this.#isJoined,
      send: (node, frame) => this.#send(node, "deliver", frame),
      publishToPlugin: options.publishToPlugin,
    });
    // Nobody may wait for it.
    this.#joined.promise.catch(() => {});
  }

  /** Delivers, and its table of users is to be trusted. */
  get isReady(): boolean {
    return this.#isJoined && this.#options.timers.now() < this.#trustedUntil;
  }

  /** Has a name: its queue exists, as far as it knows. */
  get isPresent(): boolean {
    return this.#name !== null;
  }

  /** Names of the other nodes, and of observers. */
  get peers(): readonly string[] {
    return [...this.#peers.keys()];
  }

  /** Whether somebody of the user may be connected elsewhere. */
  reaches(app: string, user: string): boolean {
    if (this.#isClosed) return false;
    return this.#deliveries.hasPluginClients || this.hasNodeOf(app, user);
  }

  /** Whether somebody of the user may be connected to another node. */
  hasNodeOf(app: string, user: string): boolean {
    return !this.isReady || this.#table.nodesOf(`${app}/${user}`).length > 0;
  }

  /** From now on deliveries go to the clients of RabbitMQ's plugin, too: observers serve them, or have done so. */
  servePlugin(): void {
    if (this.#deliveries.hasPluginClients || this.#options.role === "observer") return;
    this.#deliveries.hasPluginClients = true;
    this.#options.log.info({}, "delivers to the clients of RabbitMQ's MQTT plugin, too");
  }

  /** Comes to the others under a new name, whose queue is consumed already. Resolves when it delivers. */
  async join(name: string): Promise<void> {
    this.#name = name;
    const { role, post, listenMs = nodeLimits.listenMs } = this.#options;
    const isAnybodyThere = await post.sendToAll("hello", encode({ formerly: this.#formerly, role }));
    this.#beat(name);
    if (isAnybodyThere) await new Promise<void>((resolve) => this.#later(listenMs, resolve));
    if (this.#name !== name) throw new ChatError("connection_lost", "the node left while it came");
    const peers = this.peers;
    if (isAnybodyThere) await post.sendToAll("joined", encode({ peers }));
    this.#isJoined = true;
    this.#joined.resolve();
    this.#options.log[role === "node" ? "info" : "debug"](
      { node: name, peers },
      "delivers to the other nodes",
    );
    this.#deliveries.release();
  }

  /** The queue is gone. Everything that others sent is lost. */
  leave(): void {
    for (const stop of this.#stops.splice(0)) stop();
    if (this.#name === null) return;
    this.#formerly = this.#name;
    this.#name = null;
    if (this.#isJoined) this.#joined = Promise.withResolvers();
    this.#isJoined = false;
    this.#trustedUntil = 0;
    this.#peers.clear();
    this.#table.clear();
    this.#announcements.settle();
    if (this.#options.role === "node") this.#options.metrics.count("node_resets");
    this.#options.onMissed();
  }

  /** Says goodbye; nothing is delivered any more. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#isClosed = true;
    this.#isJoined = false;
    for (const peer of this.peers) this.#say(peer, "bye", {});
    this.#deliveries.close();
  }

  /**
   * Tells all nodes that the client is here. Resolves when they know: what they deliver from then on reaches it.
   * {@link opened} must follow within 30 s, else it is taken back. Rejects with `connection_lost` when the node leaves
   * meanwhile.
   */
  async announce(session: NodeSession): Promise<void> {
    await this.#joined.promise;
    await this.#announcements.announce(session);
  }

  /** The announced connection is open. Answers whether the other nodes know of it. */
  opened(session: NodeSession): boolean {
    return this.#announcements.opened(session);
  }

  /** The connection that was announced is gone. */
  closed(session: NodeSession): void {
    this.#announcements.closed(session);
  }

  /** A client has connected to RabbitMQ's plugin: tells the nodes with connections of its user. */
  arrived(session: NodeSession): void {
    const { app, user, clientId } = session;
    const sessions = [{ app, user, clientId }];
    for (const node of this.#table.nodesOf(`${app}/${user}`)) this.#say(node, "arrived", { sessions });
  }

  /**
   * Brings deliveries to other nodes, in the order of the calls, and those of a node to the plugin's clients. `undefined`:
   * nobody is there. Otherwise resolves when the broker has them.
   */
  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined {
    return this.#deliveries.deliver(deliveries);
  }

  /** Takes a word that came to our queue. */
  receive(from: string, type: string, content: Buffer): void {
    if (this.#name === null) return;
    if (from === this.#name) {
      if (type === "beat") this.#beaten(content);
    } else if (type === "hello") this.#greet(from, decode<"hello">(content));
    else if (type === "joined") this.#heed(decode<"joined">(content));
    else {
      const peer = this.#peers.get(from) ?? this.#meet(from, type);
      if (peer !== undefined) this.#takeNumbered(from, peer, type as NodeWordType, content);
    }
  }

  #takeNumbered(from: string, peer: Peer, type: NodeWordType, content: Buffer): void {
    const number = content.readUIntBE(0, numberBytes);
    // Sent again after a lost connection.
    if (number <= peer.received) return;
    if (number !== peer.received + 1) {
      this.#options.onBroken(new Error(`words ${peer.received + 1} to ${number - 1} of ${from} are lost`));
      return;
    }
    peer.received = number;
    this.#take(from, peer, type, content.subarray(numberBytes));
  }

  #take(from: string, peer: Peer, type: NodeWordType, body: Buffer): void {
    switch (type) {
      case "deliver":
        this.#options.onDeliveries(decodeDeliveries(body));
        break;
      case "table":
        for (const user of decode<"table">(body).users) this.#table.add(from, user);
        break;
      case "users":
        for (const change of decode<"users">(body).changes) this.#apply(from, change);
        this.#note(from, peer);
        break;
      case "arrived":
        for (const session of decode<"arrived">(body).sessions) this.#options.onArrivalElsewhere(session);
        break;
      case "noted":
        peer.noted = decode<"noted">(body).number;
        this.#announcements.settle();
        break;
      case "bye":
        this.#drop(from);
        break;
      default:
        this.#options.log.debug({ type }, "a word of a later version");
    }
  }

  #apply(from: string, [app, user, clientId]: UserChange): void {
    const key = `${app}/${user}`;
    if (clientId === null) {
      this.#table.remove(from, key);
      return;
    }
    this.#table.add(from, key);
    this.#options.onArrivalElsewhere({ app, user, clientId });
  }

  /** Confirms once per turn. */
  #note(from: string, peer: Peer): void {
    if (peer.isNoteDue) return;
    peer.isNoteDue = true;
    setImmediate(() => {
      peer.isNoteDue = false;
      if (this.#peers.get(from) !== peer) return;
      this.#say(from, "noted", { number: peer.received });
    });
  }

  #greet(from: string, { formerly, role }: NodeWords["hello"]): void {
    if (formerly !== null) this.#drop(formerly);
    if (role === "observer") this.servePlugin();
    this.#introduce(from);
  }

  /** From now on the node hears every change. */
  #introduce(node: string): Peer {
    const peer = { sent: 0, received: 0, noted: 0, isNoteDue: false };
    this.#peers.set(node, peer);
    this.#say(node, "table", { users: this.#announcements.users });
    return peer;
  }

  /** A node delivers that does not know our users: it has not heard us in time. */
  #heed({ peers }: NodeWords["joined"]): void {
    // Nobody is connected to an observer.
    if (this.#options.role === "observer") return;
    if (this.#isJoined && this.#name !== null && !peers.includes(this.#name)) {
      this.#options.onBroken(new Error("another node delivers without this one"));
    }
  }

  /** A node that is there already answers our `hello` with its table. */
  #meet(from: string, type: string): Peer | undefined {
    if (type !== "table") return undefined;
    // It was slow, and has delivered without knowing who is connected here.
    if (this.#isJoined) this.#options.onMissed();
    return this.#introduce(from);
  }

  #drop(node: string): void {
    if (!this.#peers.delete(node)) return;
    this.#table.drop(node);
    this.#announcements.settle();
  }

  #say<T extends keyof NodeWords>(to: string, type: T, word: NodeWords[T]): void {
    // A word that does not leave is missed by its number.
    this.#send(to, type, encode(word)).catch((error: Error) => this.#options.onBroken(error));
  }

  async #send(to: string, type: NodeWordType, body: Buffer): Promise<void> {
    const peer = this.#peers.get(to);
    if (peer === undefined) return;
    const content = numbered(++peer.sent, body);
    await this.#options.post.send(to, type, content, () => this.#drop(to));
  }

  #tell(changes: readonly UserChange[]): Map<string, number> {
    const numbers = new Map<string, number>();
    for (const [node, peer] of this.#peers) {
      this.#say(node, "users", { changes });
      numbers.set(node, peer.sent);
    }
    return numbers;
  }

  #beat(name: string): void {
    if (this.#name !== name) return;
    const sentAt = Buffer.from(String(this.#options.timers.now()));
    this.#options.post.send(name, "beat", sentAt, () => {}).catch(() => {});
    this.#announcements.takeBackUnopened();
    this.#later(nodeLimits.beatMs, () => this.#beat(name));
  }

  #beaten(content: Buffer): void {
    this.#trustedUntil = Number(content.toString()) + nodeLimits.trustMs;
    this.#deliveries.release();
  }

  #later(delayMs: number, run: () => void): void {
    const stop = this.#options.timers.after(delayMs, () => {
      this.#stops = this.#stops.filter((other) => other !== stop);
      run();
    });
    this.#stops.push(stop);
  }
}

function encode(word: object): Buffer {
  return Buffer.from(JSON.stringify(word));
}

/** Nodes of one version speak to each other over a broker that only they may use: their words are not validated. */
function decode<T extends keyof NodeWords>(content: Buffer): NodeWords[T] {
  return JSON.parse(content.toString()) as NodeWords[T];
}

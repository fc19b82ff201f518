import type { Delivery, Log, Metrics } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { Timers } from "../timers.ts";
import type { NodeSession, NodeWords, NodeWordType, UserChange } from "./node-words.ts";
import { numberBytes, numbered } from "./node-words.ts";
import { decodeDeliveries, encodeDeliveries } from "./parcels.ts";
import { UserTable } from "./user-table.ts";

/** Times and bounds of a {@link NodeNetwork}. */
export const nodeLimits = {
  /** How long a node that comes listens for the others' answers. */
  listenMs: 1_000,
  /** How often a node sends a word to itself. */
  beatMs: 250,
  /** The table of users is trusted for so long after the last word to oneself that came back was sent. */
  trustMs: 2_000,
  /** Deliveries that wait while the table is not to be trusted. */
  heldDeliveries: 100_000,
  /** A connection that was announced and has not been opened by then is taken back. */
  unopenedMs: 30_000,
  /** Bytes of one frame, beyond which the next one begins. */
  frameBytes: 1024 * 1024,
  /** Bytes that wait for one node; beyond it the oldest go, and the node's clients catch up from history. */
  queuedBytes: 128 * 1024 * 1024,
} as const;

/** The way from node to node. Words of one sender to one receiver arrive in order. */
export interface NodePost {
  /** Sends to one node; `onReturned` is called when it is no more. Resolves when it is on its way for sure. */
  send(to: string, type: NodeWordType | "beat", content: Buffer, onReturned: () => void): Promise<void>;
  /** Sends to all nodes. */
  sendToAll(type: "hello" | "joined", content: Buffer): Promise<void>;
}

/** Options of {@link NodeNetwork}. */
export interface NodeNetworkOptions {
  readonly post: NodePost;
  /** @default `nodeLimits.listenMs` */
  readonly listenMs?: number | undefined;
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Hands deliveries of other nodes to the connections here. */
  readonly onDeliveries: (deliveries: readonly Delivery[]) => void;
  /** A client has connected to another node: its connection here, if there is one, ends. */
  readonly onArrivalElsewhere: (session: NodeSession) => void;
  /** Deliveries of other nodes may have been missed: clients must catch up from history. */
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

/** Somebody who waits until nodes have noted a word. */
interface Waiter {
  readonly numbers: Map<string, number>;
  readonly resolve: () => void;
}

interface Announced {
  /** Our name then. */
  readonly name: string;
  readonly at: number;
}

interface Held {
  readonly deliveries: readonly Delivery[];
  readonly resolve: (taken: Promise<void> | undefined) => void;
}

/**
 * Brings deliveries to the nodes that have the users' connections (ADR 0017). Each node tells the others who is
 * connected, before the client hears that it is. A node delivers only while it knows that its queue exists; when it does
 * not know for how long it was away, it comes again under another name, and its clients connect again.
 */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #table = new UserTable();
  readonly #peers = new Map<string, Peer>();
  /** Connections here, by `app/user`. */
  readonly #local = new Map<string, number>();
  /** Announced and not opened yet. */
  readonly #unopened = new Map<NodeSession, Announced>();
  #waiters: Waiter[] = [];
  #held: Held[] = [];
  #heldCount = 0;
  #name: string | null = null;
  #formerly: string | null = null;
  #isJoined = false;
  #isClosed = false;
  #joined = Promise.withResolvers<void>();
  #trustedUntil = 0;
  #changes: UserChange[] = [];
  #flushed: PromiseWithResolvers<void> | undefined;
  /** The deliveries of this turn. */
  #turn: Delivery[] = [];
  #turnTaken: PromiseWithResolvers<void> | undefined;
  #stops: (() => void)[] = [];

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
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

  /** Names of the other nodes. */
  get peers(): readonly string[] {
    return [...this.#peers.keys()];
  }

  /** Whether somebody of the user may be connected to another node. */
  reaches(app: string, user: string): boolean {
    if (this.#isClosed) return false;
    return !this.isReady || this.#table.nodesOf(`${app}/${user}`).length > 0;
  }

  /** Comes to the others under a new name, whose queue is consumed already. Resolves when it delivers. */
  async join(name: string): Promise<void> {
    this.#name = name;
    await this.#options.post.sendToAll("hello", encode({ formerly: this.#formerly }));
    this.#beat(name);
    const { listenMs = nodeLimits.listenMs } = this.#options;
    await new Promise<void>((resolve) => this.#later(listenMs, resolve));
    if (this.#name !== name) throw new ChatError("connection_lost", "the node left while it came");
    const peers = this.peers;
    await this.#options.post.sendToAll("joined", encode({ peers }));
    this.#isJoined = true;
    this.#joined.resolve();
    this.#options.log.info({ node: name, peers }, "delivers to the other nodes");
    this.#release();
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
    this.#settleWaiters();
    this.#options.metrics.count("node_resets");
    this.#options.onMissed();
  }

  /** Says goodbye; nothing is delivered any more. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#isClosed = true;
    this.#isJoined = false;
    for (const peer of this.peers) this.#say(peer, "bye", {});
    for (const { resolve } of this.#held.splice(0)) {
      resolve(Promise.reject(new ChatError("shutting_down")));
    }
  }

  /**
   * Tells all nodes that the client is here. Resolves when they know: what they deliver from then on reaches it.
   * {@link opened} must follow within 30 s, else it is taken back. Rejects with `connection_lost` when the node leaves
   * meanwhile.
   */
  async announce(session: NodeSession): Promise<void> {
    await this.#joined.promise;
    const name = this.#name ?? "";
    this.#count(session, 1);
    this.#unopened.set(session, { name, at: this.#options.timers.now() });
    await this.#change([session.app, session.user, session.clientId]);
    if (this.#name === name) return;
    this.closed(session);
    throw new ChatError("connection_lost", "the node lost the broker");
  }

  /** The announced connection is open. Answers whether the other nodes know of it. */
  opened(session: NodeSession): boolean {
    const announced = this.#unopened.get(session);
    if (announced === undefined) {
      this.#count(session, 1);
      return false;
    }
    this.#unopened.delete(session);
    return announced.name === this.#name;
  }

  /** The connection that was announced is gone. */
  closed(session: NodeSession): void {
    this.#unopened.delete(session);
    if (this.#count(session, -1) > 0) return;
    void this.#change([session.app, session.user, null]);
  }

  /**
   * Brings deliveries to other nodes, in the order of the calls. `undefined`: nobody is there. Otherwise resolves when the
   * broker has them.
   */
  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined {
    if (this.isReady && this.#held.length === 0) return this.#route(deliveries);
    if (this.#heldCount >= nodeLimits.heldDeliveries) {
      return Promise.reject(new ChatError("connection_lost", "too many deliveries wait for the broker"));
    }
    this.#heldCount += deliveries.length;
    return new Promise<Promise<void> | undefined>((resolve) => {
      this.#held.push({ deliveries, resolve });
    }).then((taken) => taken);
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
      case "noted":
        peer.noted = decode<"noted">(body).number;
        this.#settleWaiters();
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

  #greet(from: string, { formerly }: NodeWords["hello"]): void {
    if (formerly !== null) this.#drop(formerly);
    this.#introduce(from);
  }

  /** From now on the node hears every change. */
  #introduce(node: string): Peer {
    const peer = { sent: 0, received: 0, noted: 0, isNoteDue: false };
    this.#peers.set(node, peer);
    this.#say(node, "table", { users: [...this.#local.keys()] });
    return peer;
  }

  /** A node delivers that does not know our users: it has not heard us in time. */
  #heed({ peers }: NodeWords["joined"]): void {
    if (this.#isJoined && this.#name !== null && !peers.includes(this.#name)) {
      this.#options.onBroken(new Error("another node delivers without this one"));
    }
  }

  /** A node that is there already answers our `hello` with its table. */
  #meet(from: string, type: string): Peer | undefined {
    return type === "table" ? this.#introduce(from) : undefined;
  }

  #drop(node: string): void {
    if (!this.#peers.delete(node)) return;
    this.#table.drop(node);
    this.#settleWaiters();
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

  #count({ app, user }: NodeSession, by: 1 | -1): number {
    const key = `${app}/${user}`;
    const count = (this.#local.get(key) ?? 0) + by;
    if (count > 0) this.#local.set(key, count);
    else this.#local.delete(key);
    return count;
  }

  /** Resolves when every node has noted the change. */
  async #change(change: UserChange): Promise<void> {
    this.#changes.push(change);
    if (this.#flushed === undefined) {
      this.#flushed = Promise.withResolvers();
      setImmediate(() => this.#flushChanges());
    }
    await this.#flushed.promise;
  }

  #flushChanges(): void {
    const changes = this.#changes;
    const flushed = this.#flushed;
    this.#changes = [];
    this.#flushed = undefined;
    const numbers = new Map<string, number>();
    for (const [name, peer] of this.#peers) {
      this.#say(name, "users", { changes });
      numbers.set(name, peer.sent);
    }
    this.#waiters.push({ numbers, resolve: () => flushed?.resolve() });
    this.#settleWaiters();
  }

  #settleWaiters(): void {
    this.#waiters = this.#waiters.filter(({ numbers, resolve }) => {
      for (const [name, number] of numbers) {
        const peer = this.#peers.get(name);
        if (peer === undefined || peer.noted >= number) numbers.delete(name);
      }
      if (numbers.size > 0) return true;
      resolve();
      return false;
    });
  }

  #beat(name: string): void {
    if (this.#name !== name) return;
    const sentAt = Buffer.from(String(this.#options.timers.now()));
    this.#options.post.send(name, "beat", sentAt, () => {}).catch(() => {});
    this.#takeBackUnopened();
    this.#later(nodeLimits.beatMs, () => this.#beat(name));
  }

  #beaten(content: Buffer): void {
    this.#trustedUntil = Number(content.toString()) + nodeLimits.trustMs;
    this.#release();
  }

  #takeBackUnopened(): void {
    const before = this.#options.timers.now() - nodeLimits.unopenedMs;
    for (const [session, { at }] of this.#unopened) {
      if (at > before) return;
      this.closed(session);
    }
  }

  #later(delayMs: number, run: () => void): void {
    const stop = this.#options.timers.after(delayMs, () => {
      this.#stops = this.#stops.filter((other) => other !== stop);
      run();
    });
    this.#stops.push(stop);
  }

  #release(): void {
    if (!this.isReady) return;
    this.#heldCount = 0;
    for (const { deliveries, resolve } of this.#held.splice(0)) resolve(this.#route(deliveries));
  }

  /** The deliveries of one turn go to a node together. */
  #route(deliveries: readonly Delivery[]): Promise<void> | undefined {
    const isElsewhere = ({ app, user }: Delivery) => this.#table.nodesOf(`${app}/${user}`).length > 0;
    const remote = deliveries.filter(isElsewhere);
    if (remote.length === 0) return undefined;
    if (this.#turnTaken === undefined) {
      this.#turnTaken = Promise.withResolvers();
      setImmediate(() => this.#flushTurn());
    }
    for (const delivery of remote) this.#turn.push(delivery);
    return this.#turnTaken.promise;
  }

  #flushTurn(): void {
    const deliveries = this.#turn;
    const taken = this.#turnTaken;
    this.#turn = [];
    this.#turnTaken = undefined;
    if (this.#name === null) {
      // In front of what has come since.
      this.#held.unshift({ deliveries, resolve: (later) => taken?.resolve(later) });
      this.#heldCount += deliveries.length;
      return;
    }
    const byNode = new Map<string, Delivery[]>();
    for (const delivery of deliveries) {
      for (const node of this.#table.nodesOf(`${delivery.app}/${delivery.user}`)) {
        const gathered = byNode.get(node);
        if (gathered === undefined) byNode.set(node, [delivery]);
        else gathered.push(delivery);
      }
    }
    const sent: Promise<void>[] = [];
    for (const [node, gathered] of byNode) {
      for (const part of framesOf(gathered)) sent.push(this.#send(node, "deliver", encodeDeliveries(part)));
    }
    taken?.resolve(Promise.all(sent).then(() => {}));
  }
}

/** Parts of about {@link nodeLimits.frameBytes}. */
function* framesOf(deliveries: readonly Delivery[]): Generator<readonly Delivery[]> {
  let from = 0;
  let size = 0;
  for (const [at, { payload, topic }] of deliveries.entries()) {
    if (size > nodeLimits.frameBytes) {
      yield deliveries.slice(from, at);
      from = at;
      size = 0;
    }
    size += topic.length + (deliveries[at - 1]?.payload === payload && at > from ? 0 : payload.length);
  }
  yield from === 0 ? deliveries : deliveries.slice(from);
}

function encode(word: object): Buffer {
  return Buffer.from(JSON.stringify(word));
}

/** Nodes of one version speak to each other over a broker that only they may use: their words are not validated. */
function decode<T extends keyof NodeWords>(content: Buffer): NodeWords[T] {
  return JSON.parse(content.toString()) as NodeWords[T];
}

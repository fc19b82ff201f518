import type { Delivery } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { nodeLimits } from "./node-limits.ts";
import { encodeDeliveries } from "./parcels.ts";
import type { UserTable } from "./user-table.ts";

/** Options of {@link NodeDeliveries}. */
export interface NodeDeliveriesOptions {
  readonly table: UserTable;
  /** Whether the table is to be trusted. */
  readonly isReady: () => boolean;
  /** Whether it has the table of the nodes' users at all. */
  readonly isJoined: () => boolean;
  /** Sends a frame to a node. Resolves when it is on its way for sure. */
  readonly send: (node: string, frame: Buffer) => Promise<void>;
  /** Hands deliveries to RabbitMQ's MQTT plugin. Resolves when it has them. */
  readonly publishToPlugin: (deliveries: readonly Delivery[]) => Promise<void>;
}

interface Held {
  readonly deliveries: readonly Delivery[];
  /** RabbitMQ's plugin has them already. */
  readonly isPublished: boolean;
  readonly resolve: (taken: Promise<void> | undefined) => void;
}

/**
 * Deliveries on their way to other nodes, in the order of the calls. The deliveries of one turn go to a node together.
 * They wait while the table of users is not to be trusted.
 */
export class NodeDeliveries {
  /** Whether deliveries go to the clients of RabbitMQ's plugin, too. */
  hasPluginClients = false;
  readonly #options: NodeDeliveriesOptions;
  #held: Held[] = [];
  #heldCount = 0;
  /** The deliveries of this turn. */
  #turn: Delivery[] = [];
  #turnTaken: PromiseWithResolvers<void> | undefined;

  constructor(options: NodeDeliveriesOptions) {
    this.#options = options;
  }

  /** See `NodeNetwork.deliver`. */
  deliver(deliveries: readonly Delivery[]): Promise<void> | undefined {
    if (this.#options.isReady() && this.#held.length === 0) return this.#route(deliveries);
    if (this.#heldCount >= nodeLimits.heldDeliveries) {
      return Promise.reject(new ChatError("connection_lost", "too many deliveries wait for the broker"));
    }
    this.#heldCount += deliveries.length;
    return new Promise<Promise<void> | undefined>((resolve) => {
      this.#held.push({ deliveries, isPublished: false, resolve });
    }).then((taken) => taken);
  }

  /** Sends what waits, if the table is to be trusted. */
  release(): void {
    if (!this.#options.isReady()) return;
    this.#heldCount = 0;
    for (const { deliveries, isPublished, resolve } of this.#held.splice(0)) {
      resolve(isPublished ? this.#gather(deliveries) : this.#route(deliveries));
    }
  }

  /** Gives up what waits. */
  close(): void {
    for (const { resolve } of this.#held.splice(0)) {
      resolve(Promise.reject(new ChatError("shutting_down")));
    }
  }

  #route(deliveries: readonly Delivery[]): Promise<void> | undefined {
    const toNodes = this.#gather(deliveries);
    if (!this.hasPluginClients) return toNodes;
    const toPlugin = this.#options.publishToPlugin(deliveries);
    return toNodes === undefined ? toPlugin : Promise.all([toNodes, toPlugin]).then(() => {});
  }

  #gather(deliveries: readonly Delivery[]): Promise<void> | undefined {
    const { table } = this.#options;
    if (table.isEmpty) return undefined;
    const remote = deliveries.filter(({ app, user }) => table.nodesOf(`${app}/${user}`).length > 0);
    if (remote.length === 0) return undefined;
    if (this.#turnTaken === undefined) {
      this.#turnTaken = Promise.withResolvers();
      setImmediate(() => this.#flush());
    }
    for (const delivery of remote) this.#turn.push(delivery);
    return this.#turnTaken.promise;
  }

  #flush(): void {
    const deliveries = this.#turn;
    const taken = this.#turnTaken;
    this.#turn = [];
    this.#turnTaken = undefined;
    if (!this.#options.isJoined()) {
      // In front of what has come since.
      this.#held.unshift({ deliveries, isPublished: true, resolve: (later) => taken?.resolve(later) });
      this.#heldCount += deliveries.length;
      return;
    }
    taken?.resolve(this.#send(deliveries));
  }

  async #send(deliveries: readonly Delivery[]): Promise<void> {
    const byNode = new Map<string, Delivery[]>();
    for (const delivery of deliveries) {
      for (const node of this.#options.table.nodesOf(`${delivery.app}/${delivery.user}`)) {
        const gathered = byNode.get(node);
        if (gathered === undefined) byNode.set(node, [delivery]);
        else gathered.push(delivery);
      }
    }
    const sent: Promise<void>[] = [];
    for (const [node, gathered] of byNode) {
      for (const part of framesOf(gathered)) sent.push(this.#options.send(node, encodeDeliveries(part)));
    }
    await Promise.all(sent);
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

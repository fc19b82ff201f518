import type { Delivery, Log, Metrics } from "@chat21/engine";
import type { ChannelModel } from "amqplib";
import { exchangeExists } from "../connection-events.ts";
import { deliveryPublications } from "../delivery-publications.ts";
import { Outbound } from "../outbound.ts";
import { transient } from "../publisher.ts";
import type { Timers } from "../timers.ts";
import { names } from "../topology.ts";
import { nodeLimits } from "./node-limits.ts";
import { NodeNetwork, type NodeNetworkOptions, type NodePost } from "./node-network.ts";

/** Options of {@link NodeLink}. */
export interface NodeLinkOptions
  extends Pick<NodeNetworkOptions, "role" | "listenMs" | "onDeliveries" | "onArrivalElsewhere" | "onMissed"> {
  readonly uri: string;
  readonly holder: string;
  /** Who has the same one delivers to each other: the epoch of the store. */
  readonly network: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly timers: Timers;
  /** After every change of the connection's state. @default nothing */
  readonly onChange?: () => void;
}

/** The connection that a process publishes over, and its place in the network of nodes: a queue of its own. */
export class NodeLink {
  readonly outbound: Outbound;
  readonly network: NodeNetwork;
  readonly #options: NodeLinkOptions;
  #queue = "";
  #joining = Promise.resolve();

  constructor(options: NodeLinkOptions) {
    const { uri, holder, log, metrics, timers, role, listenMs, onChange } = options;
    const { onDeliveries, onArrivalElsewhere, onMissed } = options;
    this.#options = options;
    this.outbound = new Outbound({
      ...{ uri, holder, log, timers },
      onUp: (connection) => this.#listen(connection),
      onChange: (state) => {
        if (state === "down") this.network.leave();
        else if (!this.network.isPresent) this.#joining = this.#join();
        onChange?.();
      },
    });
    this.network = new NodeNetwork({
      ...{ role, timers, log, metrics, listenMs, post: this.#post() },
      ...{ onDeliveries, onArrivalElsewhere, onMissed },
      publishToPlugin: (deliveries: readonly Delivery[]) =>
        this.outbound.publisher.publish(deliveryPublications(deliveries)),
      onBroken: (error) => {
        log.warn({ error: error.message }, "this process comes to the other nodes again");
        this.outbound.fail(error);
      },
    });
  }

  /** Resolves when it is connected and delivers to nodes; rejects as `Outbound.connect` does. */
  async connect(timeoutMs: number): Promise<void> {
    await this.outbound.connect(timeoutMs);
    await this.#joining;
  }

  /** Says goodbye to the nodes, waits until the broker has confirmed everything, at most `timeoutMs`, and closes. */
  async close(timeoutMs: number): Promise<void> {
    this.network.close();
    await this.outbound.close(timeoutMs);
  }

  #post(): NodePost {
    const { publisher } = this.outbound;
    const { role, network } = this.#options;
    const from = () => this.#queue;
    return {
      send: (to, type, content, onReturned) => {
        const options = { ...transient, type, appId: from() };
        return publisher.publish([{ exchange: "", routingKey: to, content, options, onReturned }]);
      },
      sendToAll: async (type, content) => {
        const options = { ...transient, type, appId: from() };
        const routingKey = role === "node" ? network : nodesOf(network);
        let isAnybodyThere = true;
        const onReturned = () => {
          isAnybodyThere = false;
        };
        await publisher.publish([{ exchange: names.nodes, routingKey, content, options, onReturned }]);
        return isAnybodyThere;
      },
    };
  }

  async #listen(connection: ChannelModel): Promise<void> {
    const { role, network } = this.#options;
    const channel = await connection.createChannel();
    channel.on("error", (error) => this.outbound.fail(error));
    await channel.assertExchange(names.nodes, "direct", { durable: true });
    const { queue } = await channel.assertQueue("", {
      ...{ exclusive: true, autoDelete: true, durable: false },
      arguments: { "x-max-length-bytes": nodeLimits.queuedBytes, "x-queue-type": "classic" },
    });
    await channel.bindQueue(queue, names.nodes, network);
    if (role === "node") await channel.bindQueue(queue, names.nodes, nodesOf(network));
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return this.outbound.fail(new Error("the broker took the node's queue away"));
        const { appId, type } = message.properties;
        this.network.receive(String(appId), String(type), message.content);
      },
      { noAck: true },
    );
    this.#queue = queue;
    // After the queue is bound: whoever declares it later also says hello later.
    const plugin = names.plugin(network);
    if (role === "observer") await channel.assertExchange(plugin, "fanout", { durable: true });
    else if (await exchangeExists(connection, plugin)) this.network.servePlugin();
  }

  async #join(): Promise<void> {
    try {
      await this.network.join(this.#queue);
    } catch (error) {
      // The link ended meanwhile, and comes back.
      this.#options.log.warn({ error: (error as Error).message }, "the other nodes are not reached yet");
    }
  }
}

/** The routing key that only nodes listen to. */
function nodesOf(network: string): string {
  return `${network}.nodes`;
}

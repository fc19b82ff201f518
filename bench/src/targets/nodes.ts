import type { Carrier } from "./carrier.ts";
import { openChat21Target } from "./chat21-target.ts";
import { builtScript, ownCheckout } from "./checkout.ts";
import { newDatabaseUri } from "./cluster.ts";
import { bindEventsQueue } from "./events-queue.ts";
import { findFreePorts } from "./free-port.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import type { ServiceSet } from "./service-set.ts";
import { app, type Target } from "./target.ts";

/** How to start nodes. */
export interface NodesOptions {
  readonly carrier: Carrier;
  /** How many; users are spread over them in turns, so that each pair of a sender and its recipient is apart. */
  readonly nodes: number;
  /** Whether events are published for backends, with a queue that takes them. */
  readonly events: boolean;
  /** Writes CPU profiles of the nodes there when they end. */
  readonly cpuProfileDir?: string | undefined;
  /** Folder of the repository whose server it is. @default this one */
  readonly checkout?: string | undefined;
}

/** Starts built nodes, one after the other, on an empty database. */
export async function startNodesTarget(services: ServiceSet, options: NodesOptions): Promise<Target> {
  const { carrier, nodes: count, events, cpuProfileDir, checkout = ownCheckout } = options;
  const mongoUri = newDatabaseUri(services);
  const nodes: (ServerProcess & { readonly url: string; readonly apiUrl: string })[] = [];
  const close = async () => {
    await Promise.all(nodes.map((node) => node.end()));
  };
  try {
    if (events) await bindEventsQueue(services.amqpUri);
    for (let index = 0; index < count; index += 1) {
      const [httpPort = 0, mqttPort = 0] = await findFreePorts(2);
      const base = `http://127.0.0.1:${httpPort}`;
      const node = await startServerProcess({
        cli: builtScript(checkout, "server"),
        args: ["node"],
        settings: {
          MONGODB_URI: mongoUri,
          RABBITMQ_URI: services.amqpUri,
          CHAT21_JWT_SECRET: services.secret,
          CHAT21_HOST: "127.0.0.1",
          CHAT21_HTTP_PORT: String(httpPort),
          CHAT21_MQTT_PORT: String(mqttPort),
          CHAT21_APPS: app,
          CHAT21_EVENTS: events ? "1" : "0",
          LOG_LEVEL: "WARN",
        },
        readyUrl: `${base}/readyz`,
        cpuProfileDir,
      });
      const url = carrier === "ws" ? `ws://127.0.0.1:${httpPort}/mqtt` : `mqtt://127.0.0.1:${mqttPort}`;
      nodes.push({ ...node, url, apiUrl: `${base}/api` });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const [first] = nodes;
  const target = openChat21Target({
    name: "nodes",
    url: first?.url ?? "",
    secret: services.secret,
    apiUrl: first?.apiUrl,
    pids: nodes.map(({ pid }) => pid),
    peers: services.pids,
  });
  const urls = new Map<string, string>();
  const urlOf = (user: string) => {
    const known = urls.get(user);
    const url = known ?? nodes[urls.size % nodes.length]?.url ?? target.url;
    if (known === undefined) urls.set(user, url);
    return url;
  };
  return { ...target, urlOf, readyMs: first?.readyMs ?? null, close };
}

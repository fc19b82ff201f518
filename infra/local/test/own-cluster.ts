import { readFile, rm } from "node:fs/promises";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWebhookReceiver, type Topology, World } from "@chat21/testkit";
import { type RequiredMongo, type RequiredRabbit, requireMongo, requireRabbit } from "@chat21/testkit/services";
import { type ClusterProcesses, startClusterProcesses } from "../cluster-processes.ts";
import { isAlive, startDetached, stopProcess } from "../processes.ts";
import { runCommand } from "../run-command.ts";
import { mergeMetrics } from "./merged-metrics.ts";
import { databaseUri, testEnvironment } from "./start-cluster.ts";

/** Who says whether it is ready, and needs both services. */
const ready = ["observer-1", "observer-2", "http-api"] as const;

/** A cluster on a RabbitMQ and a MongoDB of its own, which a test may stop, pause and fill. */
export class OwnCluster {
  readonly rabbit: RequiredRabbit;
  readonly mongo: RequiredMongo;
  readonly processes: ClusterProcesses;
  readonly world: World;
  readonly #folder: string;
  readonly #close: () => Promise<void>;
  #brokerPid: number;

  /** Two observers, API and webhooks; a process that is killed is started again. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<OwnCluster> {
    const folder = await mkdtemp(join(tmpdir(), "chat21-faults-"));
    const [rabbit, mongo] = await Promise.all([
      requireRabbit({ isOwn: true }),
      requireMongo({ isOwn: true }),
    ]);
    const services = async () => {
      await Promise.all([rabbit.stop(), mongo.stop()]);
      await rm(folder, { recursive: true, force: true });
    };
    try {
      return await OwnCluster.#startOn({ rabbit, mongo, folder, env, services });
    } catch (error) {
      await services();
      throw error;
    }
  }

  static async #startOn({ rabbit, mongo, folder, env, services }: Groundwork): Promise<OwnCluster> {
    const secret = rabbit.jwtSecret ?? "";
    const processes = await startClusterProcesses({
      ...{ folder, httpPort: 0, observers: 2, secret, restarts: true, managementUri: null },
      rabbitUri: rabbit.uri,
      mongoUri: databaseUri(mongo.uri, mongo.database),
      env: testEnvironment({ LOG_LEVEL: "INFO", ...env }),
    });
    const metrics = await mergeMetrics([...processes.metricsUrls.values()]);
    const webhooks = await startWebhookReceiver();
    const close = async () => {
      await Promise.all([metrics.close(), webhooks.close(), processes.stop()]);
      await services();
    };
    const topology: Topology = {
      mqttWsUrl: rabbit.webMqttUri ?? "",
      mqttTcpUrl: rabbit.mqttUri ?? "",
      ...{ apiUrl: processes.apiUrl, metricsUrl: metrics.url, secret },
      publishesAreJudgedBy: "scopes",
      close,
    };
    return new OwnCluster(rabbit, mongo, processes, new World(topology, webhooks), folder);
  }

  private constructor(
    rabbit: RequiredRabbit,
    mongo: RequiredMongo,
    processes: ClusterProcesses,
    world: World,
    folder: string,
  ) {
    Object.assign(this, { rabbit, mongo, processes, world });
    this.rabbit = rabbit;
    this.mongo = mongo;
    this.processes = processes;
    this.world = world;
    this.#folder = folder;
    this.#brokerPid = rabbit.pid ?? 0;
    this.#close = world.topology.close;
  }
}

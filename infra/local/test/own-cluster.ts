import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWebhookReceiver, World } from "@chat21/testkit";
import { type RequiredMongo, requireMongo, requireRabbit } from "@chat21/testkit/services";
import { startClusterProcesses } from "../cluster-processes.ts";
import { mergeMetrics } from "./merged-metrics.ts";
import { OwnBroker } from "./own-broker.ts";
import { databaseUri, testEnvironment } from "./start-cluster.ts";

/** Two observers, API and webhooks with their own RabbitMQ and MongoDB. A test may stop, pause and fill these. */
export interface OwnCluster {
  readonly world: World;
  readonly broker: OwnBroker;
  readonly mongo: RequiredMongo;
  readonly mongoUri: string;
  /** Process id; `undefined` while it does not run. */
  pidOf(member: Member): number | undefined;
  /** The answer of each member's `/readyz`, as `200 ok`, in the order observer 1, observer 2, API. */
  readiness(): Promise<readonly string[]>;
  /** The log lines of a member until now. */
  logOf(member: Member): Promise<readonly string[]>;
  /** Processor time of both observers until now, seconds. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

/** Starts a cluster. A killed process is started again. */
export async function startOwnCluster(env: Readonly<Record<string, string>> = {}): Promise<OwnCluster> {
  const folder = await mkdtemp(join(tmpdir(), "chat21-faults-"));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    const [rabbit, mongo] = await Promise.all([
      requireRabbit({ isOwn: true }),
      requireMongo({ isOwn: true }),
    ]);
    const broker = new OwnBroker(rabbit);
    closers.push(() => Promise.all([broker.close(), mongo.stop()]));
    const mongoUri = databaseUri(mongo.uri, mongo.database);
    const secret = rabbit.jwtSecret ?? "";
    const cluster = await startClusterProcesses({
      ...{ folder, httpPort: 0, observers: 2, secret, restarts: true, managementUri: null },
      ...{ rabbitUri: rabbit.uri, mongoUri, env: testEnvironment({ LOG_LEVEL: "INFO", ...env }) },
    });
    closers.push(() => cluster.stop());
    const metrics = await mergeMetrics([...cluster.metricsUrls.values()]);
    closers.push(() => metrics.close());
    const webhooks = await startWebhookReceiver();
    closers.push(() => webhooks.close());
    const topology = {
      ...{ mqttWsUrl: rabbit.webMqttUri ?? "", mqttTcpUrl: rabbit.mqttUri ?? "" },
      ...{ apiUrl: cluster.apiUrl, metricsUrl: metrics.url, secret, close },
      publishesAreJudgedBy: "scopes" as const,
      takeovers: "racing" as const,
    };
    const pidOf = (member: Member) => cluster.processes.find(({ name }) => name === member)?.pid;
    return {
      ...{ world: new World(topology, webhooks), broker, mongo, mongoUri, pidOf, close },
      readiness: () => Promise.all(members.map((member) => readyz(cluster.metricsUrls.get(member) ?? ""))),
      logOf: async (member) => (await readFile(join(folder, `${member}.log`), "utf8")).trim().split("\n"),
      cpuSeconds: () => cpuSecondsOf(pidOf("observer-1")) + cpuSecondsOf(pidOf("observer-2")),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The processes that need both services. */
type Member = "http-api" | "observer-1" | "observer-2";

const members = ["observer-1", "observer-2", "http-api"] as const satisfies readonly Member[];

/** `/readyz` of all members while everything works. */
export const allReady = members.map(() => "200 ok");

/** `/readyz` of all members while something is missing. */
export const allWithout = (reason: string) => members.map(() => `503 ${reason}`);

async function readyz(metricsUrl: string): Promise<string> {
  try {
    const answer = await fetch(new URL("/readyz", metricsUrl));
    return `${answer.status} ${((await answer.json()) as { readonly reason: string }).reason}`;
  } catch {
    return "no answer";
  }
}

/** Reads user and system time: fields 14 and 15, hundredths of a second. */
function cpuSecondsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type MongoService, startMongo, stopMongo } from "../../../infra/local/start-mongo.ts";
import { type RabbitService, startRabbit, stopRabbit } from "../../../infra/local/start-rabbit.ts";
import type { CarrierUrls } from "./carrier.ts";
import { closeOnSignal } from "./close-on-signal.ts";
import { loadDefinitions } from "./load-definitions.ts";

/** A RabbitMQ, and a MongoDB where that is asked for, that nobody else uses. */
export interface ServiceSet {
  readonly amqpUri: string;
  /** MQTT. */
  readonly urls: CarrierUrls;
  /** Secret that signs tokens. */
  readonly secret: string;
  /** Without the name of a database; `null` where there is none. */
  readonly mongoUri: string | null;
  /** Processes, by what they are. */
  readonly pids: Readonly<Record<string, number>>;
  /** Suspends the processes, so that they take no CPU from measurements beside them. No client may be connected. */
  pause(): void;
  resume(): void;
  /** Ends them and removes their data. Idempotent. */
  close(): Promise<void>;
}

/** Options of {@link startServiceSet}. */
export interface ServiceSetOptions {
  /** Where the folder for their data is made. */
  readonly parentFolder: string;
  /** `nothing` of ours, our `partitions`, or all that our `cluster` needs. */
  readonly for: "nothing" | "partitions" | "cluster";
}

const log = (line: string) => void process.stderr.write(`${line}\n`);

/** Starts processes of this machine, even when the environment names other services. */
export async function startServiceSet(options: ServiceSetOptions): Promise<ServiceSet> {
  const folder = mkdtempSync(join(options.parentFolder, "chat21-bench-"));
  const secret = randomBytes(32).toString("hex");
  const own = { folder, isOwn: true, log } as const;
  // Started one after the other, because each takes both cores; `close` waits for those that are still starting.
  const rabbitStarts = startRabbit({ ...own, jwtSecret: secret });
  const mongoStarts = rabbitStarts.then(() => (options.for === "cluster" ? startMongo(own) : undefined));
  const close = once(async () => {
    forget();
    const [rabbit, mongo] = await Promise.allSettled([rabbitStarts, mongoStarts]);
    if (rabbit.status === "fulfilled") await stopRabbit(rabbit.value);
    if (mongo.status === "fulfilled" && mongo.value !== undefined) await stopMongo(mongo.value);
    rmSync(folder, { recursive: true, force: true });
  });
  const forget = closeOnSignal(close);
  try {
    const [rabbit, mongo] = await Promise.all([rabbitStarts, mongoStarts]);
    if (options.for !== "nothing") await loadDefinitions(rabbit.managementUri ?? "");
    return { ...describe(rabbit, mongo), secret, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function describe(
  rabbit: RabbitService,
  mongo: MongoService | undefined,
): Omit<ServiceSet, "close" | "secret"> {
  const pids = Object.fromEntries(
    Object.entries({ rabbitmq: rabbit.pid, mongod: mongo?.pid ?? null }).filter(([, pid]) => pid !== null),
  ) as Record<string, number>;
  const signal = (name: NodeJS.Signals) => {
    for (const pid of Object.values(pids)) process.kill(pid, name);
  };
  return {
    amqpUri: rabbit.uri,
    urls: { tcp: rabbit.mqttUri ?? "", ws: rabbit.webMqttUri ?? "" },
    mongoUri: mongo?.uri ?? null,
    pids,
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
  };
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { isDockerRunning, removeContainer, runContainer } from "./docker.ts";
import { findMongod } from "./find-mongod.ts";
import { freePorts } from "./free-port.ts";
import { startDetached, stopProcess, waitFor } from "./processes.ts";

/** A running MongoDB. */
export interface MongoService {
  readonly origin: "environment" | "docker" | "process";
  readonly uri: string;
  /** Process id. `null` for a given service or a container. */
  readonly pid: number | null;
  readonly container: string | null;
}

/**
 * Returns the MongoDB of `MONGODB_URI`, or starts one in Docker or as a process. Installs a missing program. When
 * nothing works, it rejects and names the choices.
 */
export async function startMongo(options: StartOptions): Promise<MongoService> {
  const { folder, isOwn = false, log = () => {} } = options;
  const given = process.env["MONGODB_URI"];
  if (given !== undefined && given !== "" && !isOwn) {
    return { origin: "environment", uri: given, pid: null, container: null };
  }
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  if (!isOwn && (await isDockerRunning())) return startInDocker(port);
  return startOnMachine(folder, port, log);
}

/** Stops a MongoDB that {@link startMongo} started. A given one keeps running. */
export async function stopMongo({ pid, container }: MongoService): Promise<void> {
  if (pid !== null) await stopProcess(pid);
  if (container !== null) await removeContainer(container);
}

/** Settings to start a service. */
export interface StartOptions {
  /** Private folder for data and logs. */
  readonly folder: string;
  /** @default a free port */
  readonly port?: number;
  /** Starts a process on this machine only, for tests that pause or kill it. @default `false` */
  readonly isOwn?: boolean;
  /** Gets a line for each step that takes long. @default no lines */
  readonly log?: (line: string) => void;
}

const readyTimeoutMs = 60_000;

/** Creates a replica set of one member, so that majority, transactions and step-down are real. */
async function initiate(port: number): Promise<true | null> {
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true&serverSelectionTimeoutMS=500`;
  const client = new MongoClient(uri);
  try {
    const admin = client.db("admin");
    const config = { _id: "rs0", members: [{ _id: 0, host: `127.0.0.1:${port}` }] };
    await admin.command({ replSetInitiate: config }).catch(() => {});
    const hello = await admin.command({ hello: 1 });
    return hello["isWritablePrimary"] === true ? true : null;
  } catch {
    return null;
  } finally {
    await client.close();
  }
}

async function startInDocker(port: number): Promise<MongoService> {
  const container = `chat21-mongo-${port}`;
  const args = ["--network", "host", "mongo:8"];
  await runContainer(container, [
    ...args,
    ...["mongod", "--port", String(port), "--bind_ip", "127.0.0.1", "--replSet", "rs0"],
  ]);
  await waitFor("MongoDB in Docker", process.pid, readyTimeoutMs, () => initiate(port));
  return { origin: "docker", uri: uriOf(port), pid: null, container };
}

const uriOf = (port: number) => `mongodb://127.0.0.1:${port}/?replicaSet=rs0`;

async function startOnMachine(
  folder: string,
  port: number,
  log: (line: string) => void,
): Promise<MongoService> {
  const command = await findMongod(log);
  const data = join(folder, `mongo-${port}`);
  await mkdir(data, { recursive: true });
  const pid = await startDetached({
    command,
    args: [
      ...["--dbpath", data, "--port", String(port), "--bind_ip", "127.0.0.1", "--nounixsocket"],
      ...["--replSet", "rs0", "--oplogSize", "256", "--wiredTigerCacheSizeGB", "0.5"],
      ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
    ],
    logPath: join(data, "mongod.log"),
  });
  try {
    await waitFor(`MongoDB (${data}/mongod.log)`, pid, readyTimeoutMs, () => initiate(port));
  } catch (error) {
    await stopProcess(pid);
    throw error;
  }
  return { origin: "process", uri: uriOf(port), pid, container: null };
}

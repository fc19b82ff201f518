import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mongoOf, rabbitOf } from "../../../infra/local/service-folder.ts";
import { type MongoService, startMongo, stopMongo } from "../../../infra/local/start-mongo.ts";
import {
  type RabbitOptions,
  type RabbitService,
  startRabbit,
  stopRabbit,
} from "../../../infra/local/start-rabbit.ts";

export type { MongoService } from "../../../infra/local/start-mongo.ts";
export type { RabbitOptions, RabbitService } from "../../../infra/local/start-rabbit.ts";
export type { FakeTime } from "./fake-time.ts";
export { createFakeTime } from "./fake-time.ts";

/** Variable that the test run's global setup sets: the folder in which its services live. */
export const servicesFolderVariable = "CHAT21_TEST_SERVICES";

/** A MongoDB for a test file. */
export interface RequiredMongo extends MongoService {
  /** A name that no other test uses. */
  readonly database: string;
  /** Stops the test's own process, but not the one that the run shares. Idempotent. */
  stop(): Promise<void>;
}

/** A RabbitMQ for a test file. */
export interface RequiredRabbit extends RabbitService {
  /** Stops the test's own process, but not the one that the run shares. Idempotent. */
  stop(): Promise<void>;
}

/** Wishes of a test for a service. */
export interface RequireOptions {
  /** A process of the test's own, which it may pause, kill and stop. @default `false`: the run's process */
  readonly isOwn?: boolean;
}

function sharedFolder(): string {
  const folder = process.env[servicesFolderVariable];
  if (folder === undefined) {
    throw new Error(
      "services are for end-to-end tests: name the file *.e2e.test.ts, so that they are taken down",
    );
  }
  return folder;
}

const nothing = async () => {};

/**
 * A running MongoDB replica set: `MONGODB_URI`, Docker's, or a process on this machine, one for the whole test run.
 * Never skips: rejects, and says what to do, when no server can be had.
 */
export async function requireMongo({ isOwn = false }: RequireOptions = {}): Promise<RequiredMongo> {
  const database = `chat21-test-${randomUUID().slice(0, 8)}`;
  if (!isOwn) return { ...(await mongoOf(sharedFolder())), database, stop: nothing };
  const folder = await mkdtemp(join(tmpdir(), "chat21-mongo-"));
  const mongo = await startMongo({ folder, isOwn: true });
  return {
    ...mongo,
    database,
    async stop() {
      await stopMongo(mongo);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A running RabbitMQ with MQTT, Web-MQTT, management and tokens: `RABBITMQ_URI`, Docker's, or a process on this
 * machine, one for the whole test run. Never skips: rejects, and says what to do, when no server can be had.
 */
export async function requireRabbit({
  isOwn = false,
  ...options
}: RequireOptions &
  Pick<RabbitOptions, "asDeployed" | "jwtKeys" | "jwtSecret"> = {}): Promise<RequiredRabbit> {
  if (!isOwn) return { ...(await rabbitOf(sharedFolder(), options)), stop: nothing };
  const folder = await mkdtemp(join(tmpdir(), "chat21-rabbit-"));
  const rabbit = await startRabbit({ ...options, folder, isOwn: true });
  return {
    ...rabbit,
    async stop() {
      await stopRabbit(rabbit);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

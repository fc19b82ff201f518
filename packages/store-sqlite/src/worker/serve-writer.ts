import { randomUUID } from "node:crypto";
import type { WorkerAnswer, WorkerRequest, WorkerSetup } from "../worker-protocol.ts";
import { openForWriting } from "./connection.ts";
import { createGroupCommit } from "./group-commit.ts";
import { createWriter } from "./writer-methods.ts";

/** The function with which a role answers requests, and the one that ends it. */
export interface Served {
  readonly epoch: string;
  readonly answer: (requests: readonly WorkerRequest[]) => readonly WorkerAnswer[];
  readonly close: () => void;
}

/** Opens the connection that writes; makes the database when there is none. */
export function serveWriter(setup: WorkerSetup): Served {
  const { path, kinds, maxBytes } = setup;
  const database = openForWriting(path, { kinds, maxBytes, newEpoch: randomUUID });
  const writer = createWriter(database, setup);
  const epoch = database.prepare("SELECT value FROM meta WHERE name = 'epoch'").get()?.["value"] as string;
  return { epoch, answer: createGroupCommit(database, writer, path), close: () => database.close() };
}

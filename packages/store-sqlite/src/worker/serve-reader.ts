import type { WorkerAnswer, WorkerRequest, WorkerSetup } from "../worker-protocol.ts";
import { createCheckpoint } from "./checkpoint.ts";
import { openForReading } from "./connection.ts";
import { endTransaction } from "./end-transaction.ts";
import { toFailure } from "./failure.ts";
import { hasMethod, tryToInvoke } from "./invoke.ts";
import { createReaderMethods, type ReaderSideMethods } from "./reader-methods.ts";
import type { Served } from "./serve-writer.ts";

function openReader(setup: WorkerSetup) {
  const { path, databaseFile } = setup;
  const database = openForReading(path);
  const methods = createReaderMethods(database, setup);
  const side: ReaderSideMethods = { checkpoint: createCheckpoint(path, databaseFile) };

  function readTogether(requests: readonly WorkerRequest[]): WorkerAnswer[] {
    if (requests.length === 0) return [];
    database.exec("BEGIN");
    try {
      return requests.map((request) => tryToInvoke(methods, request, path));
    } finally {
      endTransaction(database, "COMMIT");
    }
  }
  return {
    answer(requests: readonly WorkerRequest[]): WorkerAnswer[] {
      const reads = readTogether(requests.filter((request) => hasMethod(methods, request)));
      const others = requests.filter((request) => hasMethod(side, request));
      return [...reads, ...others.map((request) => tryToInvoke(side, request, path))];
    },
    close: () => database.close(),
  };
}

/**
 * Opens the connection that reads when it is first needed: the thread starts beside the writer's, which makes the
 * database.
 */
export function serveReader(setup: WorkerSetup): Served {
  let reader: ReturnType<typeof openReader> | undefined;
  return {
    epoch: "",
    answer(requests) {
      try {
        reader ??= openReader(setup);
        return reader.answer(requests);
      } catch (thrown) {
        const failure = toFailure(thrown, setup.path);
        return requests.map(([id]) => [id, failure, null]);
      }
    },
    close: () => reader?.close(),
  };
}

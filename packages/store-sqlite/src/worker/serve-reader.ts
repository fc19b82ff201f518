import type { WorkerSetup } from "../worker-protocol.ts";
import { createCheckpoint } from "./checkpoint.ts";
import { openForReading } from "./connection.ts";
import { hasMethod, tryToInvoke } from "./invoke.ts";
import { createReaderMethods, type ReaderSideMethods } from "./reader-methods.ts";
import type { Served } from "./serve-writer.ts";

/** Opens the connection that reads; the writer has made the database by then. */
export function serveReader({ path, databaseFile }: WorkerSetup): Served {
  const database = openForReading(path);
  const methods = createReaderMethods(database);
  const side: ReaderSideMethods = { checkpoint: createCheckpoint(path, databaseFile) };
  const begin = database.prepare("BEGIN");
  const commit = database.prepare("COMMIT");
  return {
    epoch: "",
    answer(requests) {
      const reads = requests.filter((request) => hasMethod(methods, request));
      const others = requests.filter((request) => hasMethod(side, request));
      if (reads.length === 0) return others.map((request) => tryToInvoke(side, request, path));
      begin.run();
      const answers = reads.map((request) => tryToInvoke(methods, request, path));
      commit.run();
      return [...answers, ...others.map((request) => tryToInvoke(side, request, path))];
    },
    close: () => database.close(),
  };
}

import type { Log } from "@chat21/engine";
import type { ClusterConfig } from "./cluster-config.ts";
import { connectPatiently, uriLabel } from "./connect-patiently.ts";

/** One look for a primary at start, so that it is soon said what is waited for. */
const attemptMs = 2_000;

/** How a database is prepared and opened. */
export interface ClusterStoreAdapter<Opened> {
  migrate(options: {
    readonly uri: string;
    readonly log: Log;
    readonly serverSelectionTimeoutMs: number;
  }): Promise<void>;
  connect(options: { readonly uri: string; readonly log: Log }): Promise<Opened>;
}

/** Opens the database that the processes of a cluster share, and waits for it. Throws `OperatorError`. */
export function connectClusterStore<Opened>(
  { mongoUri: uri, migrate, startTimeoutMs: timeoutMs }: ClusterConfig,
  log: Log,
  adapter: ClusterStoreAdapter<Opened>,
): Promise<Opened> {
  return connectPatiently({
    ...{ what: `MongoDB at ${uriLabel(uri)}`, variable: "MONGODB_URI", timeoutMs, log },
    async connect() {
      if (migrate) await adapter.migrate({ uri, log, serverSelectionTimeoutMs: attemptMs });
      return adapter.connect({ uri, log });
    },
  });
}

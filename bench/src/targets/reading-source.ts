import type { ReadingShape } from "../load/reading-history.ts";
import { issueToken } from "../load/token.ts";
import { newDatabaseUri, startClusterApi } from "./cluster.ts";
import { fillStore } from "./fill-store-process.ts";
import { fillDataFolder } from "./filled-data-folder.ts";
import type { ServiceSet } from "./service-set.ts";
import { startChat21Target } from "./started-chat21-target.ts";
import { app } from "./target.ts";

/** A server that answers REST on a filled store. */
export interface ApiServer {
  /** With `/api`. */
  readonly apiUrl: string;
  readonly pid: number;
  /** A user's token, or an admin's. */
  token(user: string, role?: "admin"): string;
  close(): Promise<void>;
}

/** A store that is filled once, and servers on it, one after the other. */
export interface ReadingSource {
  readonly target: "chat21" | "cluster";
  readonly filledInSeconds: number;
  /** Starts a process that has answered only whether it is ready. */
  start(): Promise<ApiServer>;
  /** Removes the store, unless something else removes it. */
  close(): Promise<void>;
}

/** The one process, on a data folder in `dataDir`. */
export async function fillForChat21(dataDir: string, shape: ReadingShape): Promise<ReadingSource> {
  const filled = await fillDataFolder(dataDir, shape);
  const start = async (): Promise<ApiServer> => {
    const own = { carrier: "tcp", parentFolder: dataDir, dataFolder: filled.path } as const;
    const { apiUrl, secret, pids, close } = await startChat21Target(own);
    return { apiUrl, pid: pids[0] as number, token: tokensOf(secret), close };
  };
  const close = async () => filled.remove();
  return { target: "chat21", filledInSeconds: filled.seconds, start, close };
}

/** The cluster's HTTP API, on a database of these services. No observer runs: reading asks none. */
export async function fillForCluster(services: ServiceSet, shape: ReadingShape): Promise<ReadingSource> {
  const mongoUri = newDatabaseUri(services);
  const filledInSeconds = await fillStore({ mongoUri }, shape);
  const start = async (): Promise<ApiServer> => {
    const { apiUrl, process } = await startClusterApi(services, mongoUri);
    return { apiUrl, pid: process.pid, token: tokensOf(services.secret), close: process.end };
  };
  return { target: "cluster", filledInSeconds, start, close: async () => {} };
}

function tokensOf(secret: string): ApiServer["token"] {
  return (user, role) => issueToken(secret, app, user, role === undefined ? {} : { role });
}

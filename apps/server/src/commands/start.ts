import { announceReady, listenForReload, listenForStop, openServiceLog } from "@chat21/runtime";
import { type Config, loadConfig, type Overrides } from "../config.ts";
import { createServer, type Server } from "../create-server.ts";
import { removeRunningServer, writeRunningServer } from "../data-folder.ts";
import { printLine } from "../output.ts";
import { readyMessage } from "../ready-message.ts";

/** Options of `chat21 start`, as text: the settings' schemas check them. */
export interface StartOptions {
  readonly httpPort?: string;
  readonly mqttPort?: string;
  readonly mqttWsPort?: string;
  readonly host?: string;
  readonly dataDir?: string;
  readonly apps?: string;
  readonly dev?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logLevel?: string;
}

/** Starts a server and serves until a signal ends it. */
export async function start({ dev, ...options }: StartOptions): Promise<void> {
  const overrides: Overrides = { ...options, ...(dev === undefined ? {} : { development: dev ? "1" : "0" }) };
  const { config, notices } = loadConfig(overrides);
  const isTerminal = process.stdout.isTTY === true;
  const log = await openServiceLog(config.logLevel ?? (isTerminal ? "WARN" : "INFO"), notices);
  let running: Server | undefined;
  listenForReload(() => running?.reload());
  const server = await createServer(config, log);
  running = server;
  const stopSignals = listenForStop(log);
  try {
    writeRunningServer(config.dataDir, {
      pid: process.pid,
      url: server.addresses.url,
      mqttUrl: server.addresses.mqttUrl,
      startedAt: new Date().toISOString(),
    });
    if (isTerminal) printLine(welcome(config, server, options.dataDir !== undefined));
    else announceReady(log, server.addresses);
    await stopSignals.thenClose(() => server.close());
  } finally {
    removeRunningServer(config.dataDir);
  }
}

function welcome(config: Config, { addresses, hasWebPage }: Server, namesDataDir: boolean): string {
  const { dataDir, command } = config;
  const startedInMs = Math.round(performance.now());
  return readyMessage({
    ...{ ...addresses, hasWebPage, dataDir, command, namesDataDir, startedInMs },
  });
}

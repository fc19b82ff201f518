import { createLog, listenForStop, type Notice, survive } from "@chat21/runtime";
import type { Logger } from "pino";
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
  const log = await createLog(
    config.logLevel ?? (isTerminal ? "WARN" : "INFO"),
    isTerminal ? "pretty" : "lines",
  );
  survive(log);
  sayAll(notices, log);
  const server = await createServer(config, log);
  const stopSignals = listenForStop(log);
  try {
    announce(config, server, isTerminal ? { namesDataDir: options.dataDir !== undefined } : log);
    await stopSignals.thenClose(() => server.close());
  } finally {
    removeRunningServer(config.dataDir);
  }
}

function sayAll(notices: readonly Notice[], log: Logger): void {
  for (const { level, text } of notices) log[level](text);
}

function announce(config: Config, server: Server, to: { readonly namesDataDir: boolean } | Logger): void {
  const { addresses, hasWebPage } = server;
  const startedInMs = Math.round(performance.now());
  writeRunningServer(config.dataDir, {
    pid: process.pid,
    url: addresses.url,
    mqttUrl: addresses.mqttUrl,
    startedAt: new Date().toISOString(),
  });
  if ("namesDataDir" in to) {
    const { development, dataDir, command } = config;
    printLine(readyMessage({ ...addresses, ...to, hasWebPage, development, dataDir, command, startedInMs }));
  } else {
    // Whoever waits for this line gets it at every level.
    to.child({}, { level: "info" }).info({ ...addresses, startedInMs }, "ready");
  }
}

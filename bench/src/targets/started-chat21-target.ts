import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openChat21Target } from "./chat21-target.ts";
import { findFreePorts } from "./free-port.ts";
import { waitUntilReady } from "./server-ready.ts";
import type { Carrier } from "./spawned-server.ts";
import type { Target } from "./target.ts";

/** How to start a server of our own. */
export interface StartedChat21Options {
  readonly carrier: Carrier;
  /** Where its temporary data folder is made. */
  readonly parentFolder: string;
  /** Serves this data folder instead, and leaves it when it ends. */
  readonly dataFolder?: string;
  /** Writes CPU profiles there when it ends. */
  readonly cpuProfileDir?: string | undefined;
}

const cli = fileURLToPath(new URL("../../../apps/server/dist/cli.js", import.meta.url));
const warnLevel = 40;

/** Starts the built `chat21 start` on free ports, as an operator would, without webhooks; ends it with SIGTERM. */
export async function startChat21Target(options: StartedChat21Options): Promise<Target> {
  if (!existsSync(cli))
    throw new Error("apps/server is not built: run `pnpm build`, or start with `pnpm bench`");
  const dataFolder = options.dataFolder ?? mkdtempSync(join(options.parentFolder, "chat21-bench-"));
  const secret = randomBytes(32).toString("hex");
  const [httpPort = 0, mqttPort = 0] = await findFreePorts(2);
  const beganMs = performance.now();
  const child = spawn(process.execPath, [...profileArguments(options), cli, "start"], {
    env: environment({ dataFolder, secret, httpPort, mqttPort }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const close = async () => {
    await end(child);
    if (options.dataFolder === undefined) rmSync(dataFolder, { recursive: true });
  };
  try {
    forwardWarnings(child);
    await waitUntilReady(`http://127.0.0.1:${httpPort}/readyz`, () => child.exitCode === null);
  } catch (error) {
    await close();
    throw error;
  }
  const readyMs = Math.round(performance.now() - beganMs);
  const urls = { tcp: `mqtt://127.0.0.1:${mqttPort}`, ws: `ws://127.0.0.1:${httpPort}/ws` };
  const target = openChat21Target({
    name: "chat21",
    url: urls[options.carrier],
    secret,
    apiUrl: `http://127.0.0.1:${httpPort}/api`,
    pid: child.pid as number,
  });
  return { ...target, readyMs, close };
}

function profileArguments({ cpuProfileDir }: StartedChat21Options): string[] {
  if (cpuProfileDir === undefined) return [];
  mkdirSync(cpuProfileDir, { recursive: true });
  return ["--cpu-prof", `--cpu-prof-dir=${resolve(cpuProfileDir)}`];
}

/** Settings of the person who runs the bench must not reach the server. */
function environment(at: {
  readonly dataFolder: string;
  readonly secret: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR,
    CHAT21_DATA_DIR: at.dataFolder,
    CHAT21_JWT_SECRET: at.secret,
    CHAT21_HTTP_PORT: String(at.httpPort),
    CHAT21_MQTT_PORT: String(at.mqttPort),
    CHAT21_HOST: "127.0.0.1",
    LOG_LEVEL: "WARN",
    WEBHOOK_ENABLED: "false",
  };
}

function forwardWarnings(child: ChildProcess): void {
  if (child.stdout === null) return;
  createInterface(child.stdout).on("line", (line) => {
    const level = /"level":(\d+)/.exec(line)?.[1];
    if (Number(level ?? warnLevel) >= warnLevel) process.stderr.write(`${line}\n`);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

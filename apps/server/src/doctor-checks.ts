import { X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { codeOf, loadWebhookSettings, readTlsMaterial, secretWeakness } from "@chat21/runtime";
import type { Config } from "./config.ts";
import { dataPaths, fileSystemFault, readRunningServer } from "./data-folder.ts";
import { checkDatabase, checkMessages } from "./database-files.ts";
import { findTokenSecret } from "./secret.ts";
import { findWebFolder } from "./web-page.ts";

/** Result of one check. `warning`: it works, and should be looked at. */
export interface Finding {
  readonly name: string;
  readonly result: "ok" | "warning" | "failure";
  /** The result, and what to do about it. */
  readonly detail: string;
}

type Outcome = Omit<Finding, "name">;
type Check = (config: Config) => Outcome | Promise<Outcome>;

const ok = (detail: string): Outcome => ({ result: "ok", detail });
const warning = (detail: string): Outcome => ({ result: "warning", detail });
const failure = (detail: string): Outcome => ({ result: "failure", detail });

const mebibyte = 1_024 * 1_024;
/** Below it the server goes on, and the operator should make room. */
const lowDiskBytes = 1_024 * mebibyte;
/** Below it the next checkpoint may not fit. */
const fullDiskBytes = 100 * mebibyte;
const dayMs = 24 * 60 * 60 * 1_000;

const checks: Readonly<Record<string, Check>> = {
  "Node.js": () => ok(process.versions.node),
  "data folder": checkFolder,
  database: checkStore,
  messages: checkChangedMessages,
  secret: checkSecret,
  "disk space": checkDisk,
  "HTTP port": (config) => checkPort(config, config.httpPort, "--http-port or CHAT21_HTTP_PORT"),
  "MQTT port": (config) => checkPort(config, config.mqttPort, "--mqtt-port or CHAT21_MQTT_PORT"),
  "MQTT WebSocket port": (config) =>
    checkPort(config, config.mqttWsPort, "--mqtt-ws-port or CHAT21_MQTT_WS_PORT"),
  TLS: checkTls,
  webhooks: checkWebhooks,
  "web page": () => {
    const folder = findWebFolder();
    return folder === undefined ? warning("it is not built: pnpm build makes it") : ok(folder);
  },
};

/** Runs every check; none stops the others. */
export async function runChecks(config: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      findings.push({ name, ...(await check(config)) });
    } catch (thrown) {
      findings.push({ name, ...failure(thrown instanceof Error ? thrown.message : String(thrown)) });
    }
  }
  return findings;
}

async function checkFolder({ dataDir }: Config): Promise<Outcome> {
  const fault = await fileSystemFault(nearestFolder(dataDir));
  if (!existsSync(dataDir)) {
    const parent = nearestFolder(dataDir);
    if (!isWritable(parent))
      return failure(`${dataDir} cannot be made: ${parent} is not writable for this user`);
    if (fault !== undefined) return warning(fault);
    return ok(`${dataDir} will be made at the first start`);
  }
  if (!statSync(dataDir).isDirectory()) return failure(`${dataDir} is no folder: move it, or choose another`);
  if (!isWritable(dataDir)) return failure(`${dataDir} is not writable for this user: give it the right`);
  if (fault !== undefined) return warning(fault);
  const isOpen = process.platform !== "win32" && (statSync(dataDir).mode & 0o077) !== 0;
  return isOpen ? warning(`${dataDir} is open to other users: chmod 700 ${dataDir}`) : ok(dataDir);
}

function checkStore({ dataDir }: Config): Outcome {
  const path = dataPaths(dataDir).database;
  if (!existsSync(path)) return ok("there is none yet");
  const { problems, events, conversations, webhooks, undispatched } = checkDatabase(dataDir);
  if (problems.length > 0) return failure(`${path}: ${problems.slice(0, 3).join("; ")}; restore a backup`);
  const size = `${Math.ceil(statSync(path).size / mebibyte)} MiB`;
  const waiting = `${undispatched} events and ${webhooks.pending} webhooks wait`;
  return ok(
    `${size}, ${events} events in ${conversations} conversations, ${waiting}, ${webhooks.dead} dead letters`,
  );
}

async function checkChangedMessages({ dataDir }: Config): Promise<Outcome> {
  if (!existsSync(dataPaths(dataDir).database)) return ok("there are none yet");
  const problems = await checkMessages(dataDir);
  if (problems === null) return ok("not compared: the next start brings the database up to date");
  const [first] = problems;
  if (first === undefined) return ok("changed messages are as the log makes them");
  const place = `message ${first.seq} of ${first.conversation} (app ${first.app})`;
  return failure(
    `${problems.length} changed messages are not as the log makes them, the first is ${place}: stop the server and run ` +
      "chat21 doctor --rebuild",
  );
}

function checkSecret({ dataDir, secret: given }: Config): Outcome {
  const secret = findTokenSecret(dataDir, given);
  if (secret === undefined) return ok("it will be made at the first start");
  const weakness = secretWeakness(secret);
  return weakness === undefined
    ? ok("strong")
    : warning(`weak: ${weakness}; set CHAT21_JWT_SECRET to another`);
}

async function checkDisk({ dataDir }: Config): Promise<Outcome> {
  const { bavail, bsize } = await statfs(nearestFolder(dataDir));
  const free = bavail * bsize;
  const text = `${Math.floor(free / mebibyte)} MiB free`;
  if (free < fullDiskBytes) return failure(`${text}: make room before the server stops`);
  return free < lowDiskBytes ? warning(`${text}: make room`) : ok(text);
}

async function checkPort({ host, dataDir }: Config, port: number | null, option: string): Promise<Outcome> {
  if (port === null) return ok("off");
  const refused = await tryPort(host, port);
  if (refused === undefined) return ok(port === 0 ? "any free one" : `${port} is free`);
  const running = readRunningServer(dataDir);
  const isOurs = [running?.url, running?.mqttUrl].some(
    (url) => url != null && new URL(url).port === String(port),
  );
  if (isOurs) return ok(`${port} is this folder's server (process ${running?.pid})`);
  return failure(`${port} on ${host} cannot be had (${refused}): choose another with ${option}`);
}

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(codeOf(error)));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

function checkTls({ tls, host, development }: Config): Outcome {
  if (tls === undefined) {
    return development
      ? ok("none: not needed on loopback")
      : warning(`none: tokens cross the network to ${host} readable`);
  }
  const { validTo } = new X509Certificate(readTlsMaterial(tls).cert);
  const leftMs = Date.parse(validTo) - Date.now();
  if (leftMs < 0) return failure(`the certificate has expired (${validTo}): renew it`);
  const text = `the certificate is valid until ${validTo}`;
  return leftMs < 14 * dayMs ? warning(`${text}: renew it`) : ok(text);
}

function checkWebhooks(config: Config): Outcome {
  const { settings } = loadWebhookSettings(config.webhooks);
  if (!settings.enabled) return ok("off");
  return ok(settings.endpoints.length === 0 ? "no endpoints" : `${settings.endpoints.length} endpoints`);
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

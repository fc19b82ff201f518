import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Carrier } from "./carrier.ts";
import { openChat21Target } from "./chat21-target.ts";
import { builtScript, ownCheckout } from "./checkout.ts";
import { findFreePorts } from "./free-port.ts";
import { startServerProcess } from "./server-process.ts";
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
  /** Whether what one user may send is limited, as an operator has it. @default `false` */
  readonly rateLimits?: boolean;
  /** Folder of the repository whose server it is. @default this one */
  readonly checkout?: string | undefined;
}

/** The server, and how to reach its REST. */
export interface StartedChat21Target extends Target {
  /** With `/api`. */
  readonly apiUrl: string;
  /** Secret that signs tokens. */
  readonly secret: string;
}

/** Starts the built `chat21 start` on free ports, as an operator would, without webhooks; ends it with SIGTERM. */
export async function startChat21Target(options: StartedChat21Options): Promise<StartedChat21Target> {
  const dataFolder = options.dataFolder ?? mkdtempSync(join(options.parentFolder, "chat21-bench-"));
  const remove = () => {
    if (options.dataFolder === undefined) rmSync(dataFolder, { recursive: true });
  };
  const secret = randomBytes(32).toString("hex");
  const [httpPort = 0, mqttPort = 0] = await findFreePorts(2);
  const server = await startServerProcess({
    cli: builtScript(options.checkout ?? ownCheckout, "server"),
    args: ["start"],
    settings: {
      ...settings({ dataFolder, secret, httpPort, mqttPort }),
      ...(options.rateLimits === true ? { CHAT21_RATE_LIMITS: "on", LOG_LEVEL: "ERROR" } : {}),
    },
    readyUrl: `http://127.0.0.1:${httpPort}/readyz`,
    cpuProfileDir: options.cpuProfileDir,
  }).catch((error) => {
    remove();
    throw error;
  });
  const urls = { tcp: `mqtt://127.0.0.1:${mqttPort}`, ws: `ws://127.0.0.1:${httpPort}/ws` };
  const apiUrl = `http://127.0.0.1:${httpPort}/api`;
  const reach = { url: urls[options.carrier], secret, apiUrl, pids: [server.pid] };
  const target = openChat21Target({ name: "chat21", ...reach });
  const close = () => server.end().then(remove);
  return { ...target, apiUrl, secret, readyMs: server.readyMs, close };
}

function settings(at: {
  readonly dataFolder: string;
  readonly secret: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}): Record<string, string> {
  return {
    CHAT21_DATA_DIR: at.dataFolder,
    CHAT21_JWT_SECRET: at.secret,
    CHAT21_HTTP_PORT: String(at.httpPort),
    CHAT21_MQTT_PORT: String(at.mqttPort),
    CHAT21_HOST: "127.0.0.1",
    LOG_LEVEL: "WARN",
    WEBHOOK_ENABLED: "false",
  };
}

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const cli = fileURLToPath(new URL("../../server/dist/cli.js", import.meta.url));
const run = promisify(execFile);

/** The real server in its own process, on free loopback ports and with its own data folder. */
export interface ChatServer {
  /** Address of the page. */
  readonly url: string;
  /** Runs a command of `chat21` and returns its output. */
  command(...args: string[]): Promise<string>;
  /** The page's address for signing in by name; `null`: nobody does. */
  readonly signInUrl: string | null;
  stop(): Promise<void>;
}

/** Starts the built server and resolves when it serves. When it exits before, this rejects with its output. */
export async function startChatServer(env: Readonly<Record<string, string>> = {}): Promise<ChatServer> {
  const folder = mkdtempSync(join(tmpdir(), "chat21-web-"));
  const { PATH, HOME } = process.env;
  const environment = {
    PATH,
    HOME,
    CHAT21_DATA_DIR: join(folder, "data"),
    // One user of a test sends as much as many people would.
    CHAT21_RATE_LIMITS: "off",
    CHAT21_HTTP_PORT: "0",
    CHAT21_MQTT_PORT: "0",
    ...env,
  };
  const child = spawn(process.execPath, [cli, "start"], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  const { url, signInUrl } = await new Promise<{ readonly url: string; readonly signInUrl: string | null }>(
    (resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
        const ready = said
          .split("\n")
          .slice(0, -1)
          .find((line) => line.includes('"msg":"ready"'));
        if (ready !== undefined) resolve(JSON.parse(ready));
      });
      void ended.then(([code]) => reject(new Error(`the server ended with ${code}: ${said}`)));
    },
  );
  return {
    url,
    signInUrl,
    async command(...args) {
      const { stdout } = await run(process.execPath, [cli, ...args], {
        cwd: folder,
        env: { ...environment, CHAT21_HTTP_PORT: new URL(url).port },
      });
      return stdout;
    },
    async stop() {
      const alive = child.exitCode === null;
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
      if (!alive) throw new Error(`the server had ended by itself: ${said}`);
    },
  };
}

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The built command line. */
export const cliScript = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

/** What a finished process left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process is run. Nothing of this process's environment is inherited but the PATH. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** @default this package's built command line */
  readonly script?: string;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", LC_ALL: "C.UTF-8", ...extra };
}

/** Runs `chat21` with these arguments until it ends. */
export async function runChat21(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { script = cliScript } = options;
  if (!existsSync(script)) throw new Error(`${script} is not built: run "pnpm build" first`);
  const child = spawn(process.execPath, [script, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: environment(options.env),
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(options.input ?? "");
  const texts = collect(child.stdout, child.stderr);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...texts() };
}

function collect(stdout: Readable, stderr: Readable): () => { stdout: string; stderr: string } {
  const parts = { stdout: "", stderr: "" };
  stdout.setEncoding("utf8").on("data", (chunk: string) => {
    parts.stdout += chunk;
  });
  stderr.setEncoding("utf8").on("data", (chunk: string) => {
    parts.stderr += chunk;
  });
  return () => ({ ...parts });
}

/** A server in a process of its own. */
export class ServerProcess {
  readonly dataDir: string;
  /** Time from spawning until it served. */
  readonly readyInMs: number;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly mqttUrl: string;
  readonly mqttWsUrl: string;
  readonly ended: Promise<Finished>;
  readonly #child: Child;
  readonly #texts: () => { stdout: string; stderr: string };

  private constructor(
    child: Child,
    ready: Ready,
    dataDir: string,
    readyInMs: number,
    texts: Texts,
    ended: Ended,
  ) {
    this.#child = child;
    this.#texts = texts;
    this.ended = ended;
    this.dataDir = dataDir;
    this.readyInMs = readyInMs;
    this.url = ready.url.replace(/\/$/, "");
    this.mqttUrl = ready.mqttUrl ?? "";
    this.mqttWsUrl = ready.mqttWsUrl;
  }

  /** Starts on free ports and resolves when it serves. Rejects with what it said when it ends before. */
  static async start(options: StartOptions = {}): Promise<ServerProcess> {
    const dataDir = options.dataDir ?? newDataDir();
    const command = options.command === null ? [] : [options.command ?? "start"];
    const began = performance.now();
    const child = spawn(
      options.node ?? process.execPath,
      [...(options.nodeArgs ?? []), options.script ?? cliScript, ...command, ...(options.args ?? [])],
      {
        cwd: dirname(dataDir),
        env: environment({
          CHAT21_DATA_DIR: dataDir,
          CHAT21_HTTP_PORT: "0",
          CHAT21_MQTT_PORT: "0",
          ...options.env,
        }),
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const texts = collect(child.stdout, child.stderr);
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...texts() }));
    const ready = await readyLine(child.stdout, ended);
    return new ServerProcess(child, ready, dataDir, performance.now() - began, texts, ended);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it has said until now. */
  get stdout(): string {
    return this.#texts().stdout;
  }

  get stderr(): string {
    return this.#texts().stderr;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Finished> {
    this.#child.kill(signal);
    return this.ended;
  }

  /** Sends a signal without waiting. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

type Texts = () => { stdout: string; stderr: string };
type Ended = Promise<Finished>;

interface Ready {
  readonly url: string;
  readonly mqttUrl: string | null;
  readonly mqttWsUrl: string;
}

/** How a server process is started. */
export interface StartOptions extends Pick<RunOptions, "env" | "script"> {
  readonly dataDir?: string;
  readonly args?: readonly string[];
  /** Path of another Node. @default the one that runs the test */
  readonly node?: string;
  /** Flags for Node itself. */
  readonly nodeArgs?: readonly string[];
  /** `null`: none. @default "start" */
  readonly command?: string | null;
}

function readyLine(stdout: Readable, ended: Ended): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let rest = "";
    const look = (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (!line.includes('"msg":"ready"')) continue;
        stdout.off("data", look);
        resolve(JSON.parse(line));
      }
    };
    stdout.on("data", look);
    ended.then(({ code, stdout: out, stderr }) => reject(new Error(`ended with ${code}: ${stderr}${out}`)));
  });
}

const folders = new Set<string>();

/** A folder nobody had before, with a data folder's name in it. Removed by {@link removeDataDirs}. */
export function newDataDir(): string {
  const parent = mkdtempSync(join(tmpdir(), "chat21-"));
  folders.add(parent);
  return join(parent, "data");
}

/** Removes everything that {@link newDataDir} made. */
export function removeDataDirs(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

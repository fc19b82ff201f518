import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";

/** How a process of the cluster is run. */
export interface ClusterProcessOptions {
  /** For people: `observer 1`. */
  readonly name: string;
  /** Path of a built command line. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes everything it says. */
  readonly logPath: string;
  /** Whether one that ends without being told is started again. */
  readonly restarts: boolean;
  /** Told when it ended, is started again, and what it warns of. @default nobody */
  readonly tell?: (line: string) => void;
}

/** Addresses that a process gave when it was ready. */
export type ReadyLine = Readonly<Record<string, unknown>>;

const rests = { firstMs: 500, longestMs: 10_000, forgottenAfterMs: 30_000 } as const;
const readyTimeoutMs = 90_000;
const keptLines = 8;
/** A process that drains says so itself; one that hangs is ended. */
const graceMs = 12_000;

/** A process of the cluster that runs until it is told to stop. */
export class ClusterProcess {
  readonly name: string;
  readonly #options: ClusterProcessOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #lastLines: string[] = [];
  #isStopping = false;
  #restMs: number = rests.firstMs;
  #again: NodeJS.Timeout | undefined;

  private constructor(options: ClusterProcessOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = createWriteStream(options.logPath, { flags: "a" });
  }

  /** Starts it; resolves when it says that it is ready, rejects with its last lines when it ends before. */
  static async start(
    options: ClusterProcessOptions,
  ): Promise<{ readonly process: ClusterProcess; readonly ready: ReadyLine }> {
    const process = new ClusterProcess(options);
    try {
      return { process, ready: await process.#spawn() };
    } catch (error) {
      await process.stop();
      throw error;
    }
  }

  /** Of the one that runs now; `undefined` while none does. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Ends it: first by asking. Resolves with its exit code; `null` when it had to be killed, or none ran. Idempotent. */
  async stop(): Promise<number | null> {
    this.#isStopping = true;
    clearTimeout(this.#again);
    const child = this.#child;
    let code: number | null = null;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      [code] = (await ended) as [number | null];
      clearTimeout(timer);
    }
    this.#log.end();
    return code;
  }

  #spawn(): Promise<ReadyLine> {
    const child = spawn(process.execPath, [this.#options.script], {
      // A group of its own: what the terminal sends on Ctrl+C comes from us, in order.
      detached: true,
      env: this.#options.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#lastLines = [];
    const startedAt = performance.now();
    const ready = this.#readyLine(child);
    child.once("exit", (code, signal) => this.#ended(code, signal, performance.now() - startedAt));
    return ready;
  }

  #readyLine(child: ChildProcess): Promise<ReadyLine> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`not ready in ${readyTimeoutMs / 1_000} s`), readyTimeoutMs);
      const fail = (why: string) => {
        clearTimeout(timer);
        reject(new Error([`${this.name}: ${why}`, ...this.#lastLines].join("\n")));
      };
      // Both outputs are at their end with "close", so that the last lines are known.
      child.once("close", (code) => fail(`ended with exit code ${code} before it was ready`));
      const take = (line: string) => {
        this.#take(line);
        if (!line.includes('"msg":"ready"')) return;
        clearTimeout(timer);
        resolve(JSON.parse(line));
      };
      for (const output of [child.stdout, child.stderr]) {
        if (output !== null) createInterface({ input: output }).on("line", take);
      }
    });
  }

  #take(line: string): void {
    if (this.#log.writable) this.#log.write(`${line}\n`);
    this.#lastLines = [...this.#lastLines, line].slice(-keptLines);
    const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 0);
    if (level >= 40) this.#options.tell?.(`${this.name}: ${messageOf(line)}`);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null, ranMs: number): void {
    if (this.#isStopping || !this.#options.restarts) return;
    const { tell = () => {} } = this.#options;
    if (ranMs > rests.forgottenAfterMs) this.#restMs = rests.firstMs;
    tell(`${this.name} ended (${signal ?? `exit code ${code}`}); its last lines:`);
    for (const line of this.#lastLines) tell(`  ${line}`);
    tell(`${this.name} is started again in ${this.#restMs / 1_000} s`);
    this.#again = setTimeout(() => this.#restart(tell), this.#restMs);
    this.#restMs = Math.min(this.#restMs * 2, rests.longestMs);
  }

  #restart(tell: (line: string) => void): void {
    this.#spawn().then(
      () => tell(`${this.name} is ready again (process ${this.pid})`),
      () => {
        // It ended: reported, and started again, by the handler of its end.
      },
    );
  }
}

/** What a line of the log says, without its clutter. */
function messageOf(line: string): string {
  try {
    const { msg, err, error } = JSON.parse(line) as {
      msg?: string;
      err?: { message?: string };
      error?: unknown;
    };
    const why = err?.message ?? (typeof error === "string" ? error : undefined);
    return why === undefined ? String(msg) : `${msg} (${why})`;
  } catch {
    return line;
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";

/** A process of the cluster. It runs until {@link ClusterProcess.stop}. */
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

  /** Starts a process. Resolves when it is ready. Rejects with its last lines when it ends before. */
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

  /** Id of the running process; `undefined` while none runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Stops the process with a signal, or by force when it does not end in time. Resolves with its exit code; `null` when
   * it was killed, or none ran. Idempotent.
   */
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
    const child = spawn(process.execPath, [this.#options.script, ...(this.#options.args ?? [])], {
      // In its own group, the process gets no Ctrl+C from the terminal. We stop the processes in order.
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
      // "close" comes after the end of both outputs, so all last lines have been read.
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
        // The process ended. The handler of its end reports that and starts it again.
      },
    );
  }
}

/** Settings of a {@link ClusterProcess}. */
export interface ClusterProcessOptions {
  /** Name in messages, such as `observer 1`. */
  readonly name: string;
  /** Path of a built command line. */
  readonly script: string;
  /** @default none */
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** File that gets all output. */
  readonly logPath: string;
  /** Whether the process is started again when it ends by itself. */
  readonly restarts: boolean;
  /** Gets a line when the process ends or is started again, and its warnings. @default nothing is told */
  readonly tell?: (line: string) => void;
}

/** The addresses that a process logs when it is ready. */
export type ReadyLine = Readonly<Record<string, unknown>>;

const rests = { firstMs: 500, longestMs: 10_000, forgottenAfterMs: 30_000 } as const;
const readyTimeoutMs = 90_000;
const keptLines = 8;
/** Longest time for a process to stop by itself. After it the process is killed. */
const graceMs = 12_000;

/** Returns the message of a log line without the other fields. */
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

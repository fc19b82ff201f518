import type { Worker } from "node:worker_threads";
import { ChatError } from "@chat21/protocol";
import type { WorkerFailure } from "./worker/failure.ts";
import type { WorkerAnswer, WorkerGreeting, WorkerRequest, WorkerSetup } from "./worker-protocol.ts";
import type { SpawnWorker } from "./worker-spawner.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ChatError) => void;
}

/** A worker's methods as the main thread calls them. */
export type Call<Methods> = <Name extends keyof Methods & string>(
  method: Name,
  ...args: Methods[Name] extends (...args: infer Args) => unknown ? Args : never
) => Promise<Methods[Name] extends (...args: never[]) => infer Value ? Value : never>;

/** Options of {@link WorkerLink}. */
export interface WorkerLinkOptions {
  readonly spawn: SpawnWorker;
  readonly setup: WorkerSetup;
  /** A worker ended by itself; the next call starts another. */
  readonly onDeath: (error: ChatError) => void;
}

function toError({ code, message }: WorkerFailure): ChatError {
  return new ChatError(code, message);
}

function deathOf(role: string, cause: unknown): ChatError {
  return new ChatError("store_unavailable", `the database's ${role} thread ended`, { cause });
}

/** A worker that has greeted. */
interface Started {
  readonly worker: Worker;
  readonly epoch: string;
}

/**
 * Calls into one worker. Calls made in one turn of the event loop travel in one message: a message costs the main
 * thread about 30 microseconds both ways, a call in it about one. When the worker dies, waiting calls are refused as
 * `store_unavailable` (their outcome is unknown) and the next call starts a new worker.
 */
export class WorkerLink {
  readonly #options: WorkerLinkOptions;
  readonly #waiting = new Map<number, Waiting>();
  #outgoing: WorkerRequest[] = [];
  #started: Promise<Started> | null = null;
  #closing = false;
  #lastId = 0;
  #handleNotice: () => void = () => {};

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
  }

  /** Resolves when the worker serves; rejects with the worker's own error when it cannot. */
  async start(): Promise<{ readonly epoch: string }> {
    return this.#start();
  }

  /** {@link call}, typed by the methods that the worker offers. */
  caller<Methods>(): Call<Methods> {
    return (method, ...args) => this.call(method, args) as never;
  }

  /** Resolves with the method's value. */
  call(method: string, args: readonly unknown[]): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#enqueue([id, method, args]);
    return answered;
  }

  /** Sends without an answer, together with the calls of this turn. */
  note(method: string, args: readonly unknown[]): void {
    this.#enqueue([0, method, args]);
  }

  /** Calls `handle` for each notice that the worker sends unasked: the writer says that its log is long. */
  onNotice(handle: () => void): void {
    this.#handleNotice = handle;
  }

  /** Lets the worker finish what was sent, and waits for its end. */
  async close(): Promise<void> {
    this.#closing = true;
    const started = await this.#started?.catch(() => null);
    // It may have died in between.
    if (!started || this.#started === null) return;
    const ended = new Promise((resolve) => started.worker.once("exit", resolve));
    this.#flush(started.worker);
    started.worker.postMessage("close");
    await ended;
  }

  #enqueue(request: WorkerRequest): void {
    this.#outgoing.push(request);
    if (this.#outgoing.length > 1) return;
    queueMicrotask(() => {
      this.#start().then(
        ({ worker }) => this.#flush(worker),
        (error) => this.#refuse(ChatError.fromUnknown(error)),
      );
    });
  }

  #flush(worker: Worker): void {
    const requests = this.#outgoing;
    this.#outgoing = [];
    if (requests.length > 0) this.#send(worker, requests);
  }

  /** A value that cannot be sent to a thread (a function, for instance) is refused alone and harms no other request. */
  #send(worker: Worker, requests: readonly WorkerRequest[]): void {
    try {
      worker.postMessage(requests);
    } catch (error) {
      const failure = { code: "internal", message: String(error) } as const;
      if (requests.length === 1) this.#settle(requests.map(([id]) => [id, failure, null]));
      else for (const request of requests) this.#send(worker, [request]);
    }
  }

  #refuse(error: ChatError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#outgoing = [];
    for (const { reject } of waiting) reject(error);
  }

  #start(): Promise<Started> {
    if (this.#closing && this.#started === null) {
      return Promise.reject(new ChatError("store_unavailable", "the store is closed"));
    }
    this.#started ??= this.#spawn().catch((error) => {
      this.#started = null;
      throw error;
    });
    return this.#started;
  }

  #spawn(): Promise<Started> {
    const { spawn, setup, onDeath } = this.#options;
    const worker = spawn(setup);
    return new Promise((resolve, reject) => {
      let cause: unknown;
      let greeted = false;
      worker.once("error", (error) => {
        cause = error;
      });
      worker.once("exit", () => {
        const error = deathOf(setup.role, cause);
        reject(error);
        if (!greeted) return;
        this.#started = null;
        if (!this.#closing) onDeath(error);
        this.#refuse(error);
      });
      worker.once("message", (greeting: WorkerGreeting) => {
        if ("failure" in greeting) return reject(toError(greeting.failure));
        greeted = true;
        worker.on("message", (answers: readonly WorkerAnswer[]) => this.#settle(answers));
        resolve({ worker, epoch: greeting.epoch });
      });
    });
  }

  #settle(answers: readonly WorkerAnswer[]): void {
    for (const [id, failure, value] of answers) {
      if (id === 0) this.#handleNotice();
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === null) waiting?.resolve(value);
      else waiting?.reject(toError(failure));
    }
  }
}

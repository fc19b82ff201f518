import type { Answer, Command } from "@chat21/protocol";
import { ChatError, isErrorCode } from "@chat21/protocol";
import { newId } from "../outbox/new-id.ts";
import type { Clock } from "./clock.ts";

type WithoutId<Value> = Value extends unknown ? Omit<Value, "request_id"> : never;

/** A command less its `request_id`. */
export type CommandBody = WithoutId<Command>;

const timeoutMs = 10_000;

/** Asks over MQTT and waits for the answer on the device's topic. */
export class Commands {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, (answer: Answer | null) => void>();
  #publish: ((command: Command) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined`: there is no connection; whoever waits learns that it is lost. */
  setPublish(publish: ((command: Command) => void) | undefined): void {
    this.#publish = publish;
    if (publish !== undefined) return;
    for (const finish of [...this.#waiting.values()]) finish(null);
  }

  /** Sends without waiting; lost when there is no connection. */
  tell(body: CommandBody): void {
    this.#publish?.({ ...body, request_id: newId() });
  }

  /** Resolves when the server has done it; rejects with what it answered, `timeout` or `connection_lost`. */
  ask(body: CommandBody): Promise<void> {
    const publish = this.#publish;
    if (publish === undefined) return Promise.reject(new ChatError("connection_lost"));
    const requestId = newId();
    return new Promise((resolve, reject) => {
      const stop = this.#clock.after(timeoutMs, () => {
        this.#waiting.delete(requestId);
        reject(new ChatError("timeout"));
      });
      this.#waiting.set(requestId, (answer) => {
        stop();
        this.#waiting.delete(requestId);
        const error = answer === null ? new ChatError("connection_lost") : errorOfAnswer(answer);
        if (error === null) resolve();
        else reject(error);
      });
      publish({ ...body, request_id: requestId });
    });
  }

  handleAnswer(answer: Answer): void {
    if (answer.request_id !== undefined) this.#waiting.get(answer.request_id)?.(answer);
  }
}

/** What an answer says went wrong; `null` for `ok`. A code of a later version is taken as final. */
export function errorOfAnswer({ code, message, retry_after_ms: retryAfterMs }: Answer): ChatError | null {
  if (code === "ok") return null;
  if (!isErrorCode(code)) return new ChatError("bad_request", `${code}: ${message ?? "refused"}`);
  return new ChatError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

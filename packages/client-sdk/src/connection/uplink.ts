import type { Answer, Command, EraseCommand } from "@chat21/protocol";
import { ChatError, clientTopics, isErrorCode } from "@chat21/protocol";
import { newId } from "../outbox/new-id.ts";
import type { Clock } from "./clock.ts";
import type { Link } from "./link.ts";
import { wireIdOf } from "./wire-id.ts";

type WithoutId<Value> = Value extends unknown ? Omit<Value, "request_id"> : never;

/** A command without its `request_id`. */
export type CommandBody = WithoutId<Command | EraseCommand>;

/** Settings of an {@link Uplink}. */
export interface UplinkOptions {
  readonly app: string;
  readonly user: string;
  readonly clock: Clock;
}

const timeoutMs = 10_000;

/** The way to the server, through the link in use. Without a link publishes are lost. */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #waiting = new Map<string, (answer: Answer | null) => void>();
  #link: Link | undefined;

  constructor(options: UplinkOptions) {
    this.#options = options;
  }

  /** MQTT client id of the link in use. */
  get clientId(): string | undefined {
    return this.#link?.clientId;
  }

  /** Sets the link in use. `undefined`: the connection is lost, and callers that wait for an answer learn it. */
  use(link: Link | undefined): void {
    this.#link = link;
    if (link !== undefined) return;
    for (const finish of [...this.#waiting.values()]) finish(null);
  }

  /** Publishes; the publish is lost while there is no connection. */
  publish(topic: string, payload: object): void {
    this.#link?.publish(topic, payload);
  }

  /** Resolves when the server has it; rejects with `connection_lost`. */
  async deliver(topic: string, payload: object): Promise<void> {
    if (this.#link === undefined) throw new ChatError("connection_lost");
    await this.#link.deliver(topic, payload);
  }

  /** Sends a command without waiting; lost while there is no connection. */
  tell(body: CommandBody, requestId = newId()): void {
    const { app, user } = this.#options;
    this.publish(clientTopics.command(app, wireIdOf(user), this.clientId ?? ""), {
      ...body,
      request_id: requestId,
    });
  }

  /** Resolves when the server has done it; rejects with the server's error, `timeout` or `connection_lost`. */
  ask(body: CommandBody): Promise<void> {
    if (this.#link === undefined) return Promise.reject(new ChatError("connection_lost"));
    const requestId = newId();
    return new Promise((resolve, reject) => {
      const stop = this.#options.clock.after(timeoutMs, () => {
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
      this.tell(body, requestId);
    });
  }

  handleAnswer(answer: Answer): void {
    if (answer.request_id !== undefined) this.#waiting.get(answer.request_id)?.(answer);
  }
}

/** The error of an answer; `null` for `ok`. A code of a later version is taken as final. */
export function errorOfAnswer({ code, message, retry_after_ms: retryAfterMs }: Answer): ChatError | null {
  if (code === "ok") return null;
  if (!isErrorCode(code)) return new ChatError("bad_request", `${code}: ${message ?? "refused"}`);
  return new ChatError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

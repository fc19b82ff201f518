import type { EdgeHandler, Log, Metrics, Session } from "@chat21/engine";
import { ChatError, parseClientTopic } from "@chat21/protocol";
import type { ConsumeMessage } from "amqplib";
import { clientSession } from "./client-session.ts";
import { type DeadReason, deadLetter } from "./dead-letter.ts";
import type { Publisher } from "./publisher.ts";
import { clientTopicOf } from "./routing.ts";

/** Options of {@link InboundIntake}. */
export interface InboundIntakeOptions {
  readonly handler: Pick<EdgeHandler, "handlePublish">;
  /** @default every app */
  readonly apps: readonly string[] | undefined;
  readonly publisher: Pick<Publisher, "publish">;
  /** A client has said that it is connected, and the handler has taken it. */
  readonly onArrival: (session: Session) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Leads one message of the broker to the engine, or to the dead letters. */
export class InboundIntake {
  readonly #options: InboundIntakeOptions;

  constructor(options: InboundIntakeOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the message is finished: handled, or durably a dead letter. Rejects when it must not be acknowledged,
   * because another process is to handle it, or it is to be tried again.
   */
  take(message: ConsumeMessage, isCurrent: () => boolean): Promise<void> {
    const topic = clientTopicOf(message.fields.routingKey);
    const parsed = parseClientTopic(topic);
    if (parsed === null) return this.bury(message, "unroutable", "no topic of a client has this form");
    const { apps, handler, onArrival } = this.#options;
    if (apps !== undefined && !apps.includes(parsed.app)) {
      return this.bury(message, "unknown_app", "the app is not served here");
    }
    const { redelivered } = message.fields;
    const session = clientSession(parsed);
    const { content: payload } = message;
    const handled = handler.handlePublish(session, { topic, payload, redelivered, isCurrent });
    const isArrival = parsed.kind === "presence" && !redelivered && saysConnected(payload);
    return (isArrival ? handled.then(() => onArrival(session)) : handled).catch((thrown: unknown) => {
      const error = ChatError.fromUnknown(thrown);
      // A message that may succeed elsewhere or later is no dead letter; one on which the handler fails in an unknown
      // way is.
      if (error.retryable && error.code !== "internal") throw error;
      return this.bury(message, error.code === "internal" ? "internal" : "forbidden", error.message);
    });
  }

  /** Makes a dead letter of the message. */
  async bury(message: ConsumeMessage, reason: DeadReason, detail: string): Promise<void> {
    const { publisher, log, metrics } = this.#options;
    await publisher.publish([deadLetter(message, reason, detail, new Date())]);
    metrics.count("dead_letters", { reason });
    const { routingKey } = message.fields;
    log.error({ reason, detail, routingKey: routingKey.slice(0, 255) }, "made a dead letter of a message");
  }
}

/** Whether a presence payload says that the client has connected (P5), and not that it leaves (P6). */
function saysConnected(payload: Buffer): boolean {
  try {
    return Boolean((JSON.parse(payload.toString()) as { connected?: unknown } | null)?.connected);
  } catch {
    return false;
  }
}

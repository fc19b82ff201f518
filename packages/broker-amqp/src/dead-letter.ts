import type { ConsumeMessage } from "amqplib";
import { type Publication, persistent } from "./publisher.ts";
import { names } from "./topology.ts";

/** Why a message could not be handled; permanent. */
export type DeadReason =
  /** No topic of ours has that form. */
  | "unroutable"
  /** The app is not served here. */
  | "unknown_app"
  /** Not the topic of the client's own user. */
  | "forbidden"
  /** The handler failed on it. */
  | "internal"
  /** It came from a queue that is not ours, and its handler cannot take it over. */
  | "refused"
  /** It was given out again and again, and never finished: it probably ends its process. */
  | "crashes";

/** The letter for {@link names.dead}: the original bytes, with everything about them in the headers. */
export function deadLetter(
  message: ConsumeMessage,
  reason: DeadReason,
  detail: string,
  time: Date,
): Publication {
  const { exchange, routingKey, redelivered } = message.fields;
  return {
    exchange: "",
    routingKey: names.dead,
    content: message.content,
    options: {
      ...persistent,
      headers: {
        ...message.properties.headers,
        "x-chat21-reason": reason,
        "x-chat21-detail": detail.slice(0, 200),
        "x-chat21-exchange": exchange,
        "x-chat21-routing-key": routingKey,
        "x-chat21-redelivered": redelivered,
        "x-chat21-time": time.toISOString(),
      },
    },
  };
}

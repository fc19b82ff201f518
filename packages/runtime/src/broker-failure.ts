import { ChatError } from "@chat21/protocol";
import { OperatorError } from "./operator-error.ts";

/** What an operator reads when the edge did not start: one line that says what to do. */
export function brokerFailure(cause: unknown): OperatorError {
  const text = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
  // A conflict on the broker is no fault of the address, and its message says what to do.
  const hint = cause instanceof ChatError && cause.code === "conflict" ? "" : "; check RABBITMQ_URI";
  return new OperatorError(`RabbitMQ: ${text}${hint}`, { cause });
}

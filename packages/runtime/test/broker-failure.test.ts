import { ChatError } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { brokerFailure } from "../src/cluster-engine.ts";

describe("an edge that does not start", () => {
  it("makes the operator look at the address", () => {
    const cause = new ChatError("connection_lost", "no use of the broker at amqp://rabbit:\n refused");

    expect(brokerFailure(cause).message).toBe(
      "RabbitMQ: no use of the broker at amqp://rabbit: refused; check RABBITMQ_URI",
    );
  });

  it("leaves the address alone where an original still runs", () => {
    const cause = new ChatError(
      "conflict",
      "the queue persist has 1 consumers: stop the original server first",
    );

    expect(brokerFailure(cause).message).toBe(
      "RabbitMQ: the queue persist has 1 consumers: stop the original server first",
    );
  });
});

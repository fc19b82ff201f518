import { describe, expect, it } from "vitest";
import { connectPatiently, OperatorError, uriLabel } from "../src/index.ts";

function failing(times: number, reason: (attempt: number) => string) {
  let attempts = 0;
  const lines: string[] = [];
  return {
    lines,
    attempts: () => attempts,
    options: {
      what: "MongoDB at somewhere",
      variable: "MONGODB_URI",
      log: {
        info: (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`),
      },
      connect: async () => {
        attempts += 1;
        if (attempts <= times) throw new Error(reason(attempts));
        return "connected";
      },
    },
  };
}

describe("connecting with patience", () => {
  it("goes on until it works, and gives each reason once", async () => {
    const world = failing(3, (attempt) => (attempt === 3 ? "no primary" : "refused"));

    await expect(connectPatiently({ ...world.options, timeoutMs: 60_000 })).resolves.toBe("connected");

    expect(world.lines).toEqual([
      'waiting for MongoDB at somewhere {"reason":"refused"}',
      'waiting for MongoDB at somewhere {"reason":"no primary"}',
    ]);
  });

  it("ends with one line that says what to check", async () => {
    const world = failing(100, () => "connect\n  ECONNREFUSED");

    await expect(connectPatiently({ ...world.options, timeoutMs: 1_000 })).rejects.toThrow(
      new OperatorError(
        "MongoDB at somewhere: no connection within 1 s: connect ECONNREFUSED; check MONGODB_URI",
      ),
    );
    expect(world.attempts()).toBeGreaterThan(1);
  });

  it("tries once where there is no time", async () => {
    const world = failing(100, () => "refused");

    await expect(connectPatiently({ ...world.options, timeoutMs: 0 })).rejects.toThrow(
      new OperatorError("MongoDB at somewhere: no connection: refused; check MONGODB_URI"),
    );
    expect([world.attempts(), world.lines]).toEqual([1, []]);
  });
});

describe("the label of an address", () => {
  it.each([
    ["mongodb://user:p%40ss@a.example:27017,b.example/chat21?replicaSet=rs0", "a.example:27017,b.example"],
    ["amqp://ignored:token@rabbit:5672?heartbeat=60", "rabbit:5672"],
    ["amqp://a:b@c@rabbit/vhost", "rabbit"],
    ["mongodb+srv://cluster.example/", "cluster.example"],
    ["nonsense", "?"],
  ])("has neither user nor password: %s", (uri, label) => {
    expect(uriLabel(uri)).toBe(label);
  });
});

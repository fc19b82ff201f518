import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";
import { type ChannelModel, connect as connectAmqp } from "amqplib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTokens } from "../src/index.ts";
import { amqpOutcome, connectMqtt, connectOutcome, publishAmqp } from "./broker-client.ts";
import { es256Key } from "./fixtures.ts";

const execute = promisify(execFile);
const infra = new URL("../../../infra/rabbitmq/", import.meta.url).pathname;
const key = es256Key("2026-11");
// These characters would end a string in Erlang, in a shell or in awk.
const jwtSecret = "a \"secret\" & 'more'\\ $(id) @JWKS_URI@ ü";

let rabbit: RequiredRabbit;
let processes: ChannelModel;

beforeAll(async () => {
  const asDeployed = { user: "chat21", password: "p-1" };
  rabbit = await requireRabbit({ isOwn: true, jwtSecret, jwtKeys: { [key.kid]: key.publicKey }, asDeployed });
  processes = await connectAmqp(rabbit.uri);
});

afterAll(async () => {
  await processes?.close();
  await rabbit?.stop();
});

describe("the deployed configuration", () => {
  test.each([
    ["the shared secret", { secret: jwtSecret }],
    ["an ES256 key", { es256: [key] }],
  ])("takes tokens signed with %s", async (_title, keys) => {
    const tokens = createTokens({ ...keys, clock: { now: Date.now }, newId: randomUUID });
    const { token, clientId } = tokens.issue({ app: "tilechat", user: "alice" });

    expect(await connectOutcome(rabbit.mqttUri ?? "", token, clientId)).toBe("in");
    expect(await connectOutcome(rabbit.webMqttUri ?? "", token, clientId)).toBe("in");
  });

  test("has no user but the one for our own processes, and no anonymous clients", async () => {
    await expect(connectAmqp(rabbit.uri.replace("chat21:p-1", "guest:guest"))).rejects.toThrowError(/403/);
    expect(await connectOutcome(rabbit.mqttUri ?? "", "", "c", { username: "", password: "" })).toBe(
      "refused",
    );
  });

  test("lets our processes build their topology, and drain what an original deployment left", async () => {
    const outcome = await amqpOutcome(processes, async (channel) => {
      await channel.assertExchange("amq.topic", "topic", { durable: true });
      await channel.assertExchange("chat21.in", "x-consistent-hash", { durable: true });
      await channel.assertExchange("chat21.events", "topic", { durable: true });
      await channel.bindExchange("chat21.in", "amq.topic", "apps.*.outgoing.users.*.messages.*.outgoing");
      await channel.assertQueue("chat21.partition.0", { durable: true });
      await channel.bindQueue("chat21.partition.0", "chat21.in", "1");
      const { queue } = await channel.assertQueue("", { exclusive: true });
      await channel.bindQueue(queue, "amq.rabbitmq.event", "queue.deleted");
      await publishAmqp("", "chat21.partition.0")(channel);
      for (const left of ["messages", "persist", "webhooks"]) {
        await channel.assertQueue(left, { durable: true });
        await channel.bindQueue(left, "amq.topic", "apps.tilechat.users.#.update");
        await channel.consume(left, () => undefined);
        await channel.unbindQueue(left, "amq.topic", "apps.tilechat.users.#.update");
        await channel.deleteQueue(left);
      }
    });

    expect(outcome).toBe("done");
  });

  test("takes the queues and the policy that are there before the first client, again and again", async () => {
    const script = new URL("../../../infra/compose/rabbitmq-init.mjs", import.meta.url).pathname;
    const env = { RABBITMQ_MANAGEMENT_URI: (rabbit.managementUri ?? "").replace("//", "//chat21:p-1@") };
    const run = () => execute(process.execPath, [script, join(infra, "definitions.json")], { env });

    await run();
    await run();

    const queue = await amqpOutcome(processes, (channel) => channel.checkQueue("chat21.partition.15"));
    expect(queue).toBe("done");
    await expect(
      execute(process.execPath, [script, join(infra, "definitions.json")], {
        env: { RABBITMQ_MANAGEMENT_URI: env.RABBITMQ_MANAGEMENT_URI.replace("p-1", "wrong") },
      }),
    ).rejects.toThrowError(/401/);
  });

  test("gives our processes no rights beyond their own queues and exchanges", async () => {
    const declare = amqpOutcome(processes, (channel) => channel.assertQueue("others"));
    const read = amqpOutcome(processes, (channel) =>
      channel.consume("mqtt-subscription-xqos1", () => undefined),
    );

    expect(await declare).toBe(403);
    expect(await read).toBe(403);
  });

  test("lets our processes find and close connections over the management API", async () => {
    const authorization = `Basic ${Buffer.from("chat21:p-1").toString("base64")}`;
    const api = (path: string, method = "GET") =>
      fetch(`${rabbit.managementUri}/api/${path}`, { method, headers: { authorization } });
    const tokens = createTokens({ secret: jwtSecret, clock: { now: Date.now }, newId: randomUUID });
    const { token, clientId } = tokens.issue({ app: "tilechat", user: "alice" });
    const client = await connectMqtt(rabbit.mqttUri ?? "", token, clientId);
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    const nameOf = async () => {
      const list = (await (await api("connections")).json()) as { name: string; protocol?: string }[];
      return list.find(({ protocol }) => protocol?.startsWith("MQTT"))?.name;
    };
    await expect.poll(nameOf).toBeDefined();

    const { status } = await api(`connections/${encodeURIComponent((await nameOf()) ?? "")}`, "DELETE");

    expect(status).toBe(204);
    await closed;
  });
});

describe("render-advanced-config.sh", () => {
  const script = join(infra, "render-advanced-config.sh");

  async function render(env: Record<string, string>, version = "3.10"): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "chat21-render-"));
    try {
      await writeFile(join(folder, `${key.kid}.pem`), key.publicKey);
      const values = Object.entries(env).map(([name, value]) => [name, value.replace("<folder>", folder)]);
      const output = join(folder, "advanced.config");
      const options = { env: { PATH: process.env["PATH"] ?? "", ...Object.fromEntries(values) } };
      await execute(script, [join(infra, version, "advanced.config"), output], options);
      return await readFile(output, "utf8");
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test.each(["3.10", "4"] as const)("writes what the brokers of tests run on: %s", async (series) => {
    const { rabbitAdvancedConfig } = await import("../../../infra/local/rabbit-config.ts");
    const expected = rabbitAdvancedConfig(series, { jwtSecret, jwtKeys: { [key.kid]: key.publicKey } });
    const env = { CHAT21_JWT_SECRET: jwtSecret, CHAT21_JWT_KEYS_DIR: "<folder>" };

    expect(await render(env, series)).toBe(expected);
  });

  test("adds the address of a key set for RabbitMQ 4 only", async () => {
    const env = { CHAT21_JWT_SECRET: "s", CHAT21_JWKS_URI: "https://chat.example/.well-known/jwks.json" };

    const config = await render(env, "4");
    // RabbitMQ 4.0 and later versions use different names, and ignore the name they do not know.
    for (const name of ["jwks_url", "jwks_uri"])
      expect(config).toContain(`{${name}, "https://chat.example/.well-known/jwks.json"},`);
    await expect(render(env)).rejects.toThrowError(/RabbitMQ 4/);
  });

  test("leaves no placeholder of its template, also when keys are left out", async () => {
    const config = await render({ CHAT21_JWKS_URI: "https://chat.example/jwks.json" }, "4");

    expect(config).not.toContain("@");
    expect(await render({ CHAT21_JWT_SECRET: "s" }, "4")).not.toContain("@");
  });

  test.each([
    ["nothing to verify tokens with", {}, /nothing to verify/],
    ["a secret file that is not there", { CHAT21_JWT_SECRET_FILE: "/nowhere" }, /cannot read/],
    ["a folder without keys", { CHAT21_JWT_KEYS_DIR: "/nowhere" }, /no readable/],
    ["an address that would end the string", { CHAT21_JWKS_URI: 'https://x"}' }, /RabbitMQ 4|plain URL/],
  ])("refuses %s", async (_title, env, message) => {
    await expect(render(env as Record<string, string>, "4")).rejects.toThrowError(message);
  });
});

import { execFile } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { type RequiredRabbit, requireRabbit } from "@chat21/testkit/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTokens, type KeySetOptions } from "../src/index.ts";
import { connectMqtt, connectOutcome, publishOutcome } from "./broker-client.ts";
import { encode, es256Key, payloadOf, secret, sign } from "./fixtures.ts";

const execute = promisify(execFile);
const [current, retired, stranger] = ["2026-11", "2026-10", "2026-11"].map(es256Key) as [Key, Key, Key];
type Key = ReturnType<typeof es256Key>;

let rabbit: RequiredRabbit;

beforeAll(async () => {
  const jwtKeys = { [current.kid]: current.publicKey, [retired.kid]: retired.publicKey };
  // A broker for this file only: its keys are special, and one test changes the broker's settings.
  rabbit = await requireRabbit({ isOwn: true, jwtSecret: secret, jwtKeys });
});

afterAll(() => rabbit?.stop());

const clientId = "c-1";
const tokensOf = (keys: KeySetOptions) =>
  createTokens({ ...keys, clock: { now: Date.now }, newId: randomUUID });
const issue = (keys: KeySetOptions) =>
  tokensOf(keys).issue({ app: "tilechat", user: "alice", clientId }).token;
const outcome = (token: string) => connectOutcome(rabbit.mqttUri ?? "", token, clientId);

const seconds = () => Math.floor(Date.now() / 1_000);
const valid = () => payloadOf(issue({ secret }));

test("a token signed with the shared secret, and with either ES256 key, is let in", async () => {
  expect(await outcome(issue({ secret }))).toBe("in");
  expect(await outcome(issue({ es256: [current] }))).toBe("in");
  expect(await outcome(issue({ es256: [retired] }))).toBe("in");
});

test("a token signed by ES256 opens what its scopes say and nothing else", async () => {
  const own = await connectMqtt(rabbit.mqttUri ?? "", issue({ es256: [current] }), clientId);
  expect(await publishOutcome(own, "apps/tilechat/users/alice/presence/c-1")).toBe("taken");
  expect(await publishOutcome(own, "apps/tilechat/users/bob/presence/c-1")).toBe("closed");
});

describe("the broker refuses", () => {
  const unsigned = (header: object) => `${encode(header)}.${encode(valid())}.`;
  /** The attack of RFC 8725, 2.1: the public key, which everybody has, is used as the secret of an HMAC. */
  const confused = () => {
    const signed = `${encode({ alg: "HS256", typ: "JWT", kid: current.kid })}.${encode(valid())}`;
    return `${signed}.${createHmac("sha256", current.publicKey).update(signed).digest("base64url")}`;
  };

  test.each([
    ["an expired token", () => sign({ ...valid(), exp: seconds() - 1 })],
    ["a token for another audience", () => sign({ ...valid(), aud: ["other"] })],
    ["a token for no audience of its own, but a scope", () => sign({ ...valid(), aud: ["rabbitmq2"] })],
    ["a token without scopes", () => sign({ ...valid(), scope: [] })],
    ["a token with scopes of another resource", () => sign({ ...valid(), scope: ["other.read:*/*/*"] })],
    ["a token signed with another secret", () => sign(valid(), undefined, "another")],
    ["a token signed with an empty secret", () => sign(valid(), undefined, "")],
    [
      "a token whose claims were changed",
      () => issue({ secret }).replace(/\.[^.]+\./, `.${encode({ ...valid(), sub: "bob" })}.`),
    ],
    ["a token without a signature", () => issue({ secret }).replace(/[^.]+$/, "")],
    ["alg none", () => unsigned({ alg: "none", typ: "JWT" })],
    ["alg none with the name of a key", () => unsigned({ alg: "none", typ: "JWT", kid: current.kid })],
    ["HS256 with the ES256 public key as its secret", confused],
    [
      "HS256 under the name of an ES256 key",
      () => sign(valid(), { alg: "HS256", typ: "JWT", kid: current.kid }),
    ],
    ["HS512 with the shared secret", () => sign(valid(), { alg: "HS512", typ: "JWT" })],
    ["ES256 by a stranger under a known name", () => issue({ es256: [stranger] })],
    ["ES256 under a name it does not know", () => issue({ es256: [es256Key("unknown")] })],
    ["a password that is no token", () => "tokenKey"],
    ["an empty password", () => ""],
  ])("%s", async (_title, token) => {
    expect(await outcome(token())).toBe("refused");
  });

  test("anonymous clients, and the user guest from elsewhere than AMQP", async () => {
    const anonymous = { username: undefined, password: undefined };
    expect(await connectOutcome(rabbit.mqttUri ?? "", "", "c-2", anonymous as object)).toBe("refused");
  });
});

test("a token that expires while its connection lives ends it, at the latest at the next publish", async () => {
  const token = tokensOf({ secret }).issue({ app: "tilechat", user: "alice", clientId, ttlMs: 2_000 });
  const client = await connectMqtt(rabbit.mqttUri ?? "", token.token, clientId);
  expect(await publishOutcome(client, "apps/tilechat/users/alice/presence/c-1")).toBe("taken");

  await expect.poll(() => Date.now() >= token.expiresAt + 1_000).toBe(true);

  expect(await publishOutcome(client, "apps/tilechat/users/alice/presence/c-1")).toBe("closed");
});

test("RabbitMQ 3.10 forgets its other keys when it fetches a key set, 4.x keeps them", async () => {
  const isOld = (await rabbitEval("io:format(rabbit_misc:version()).")).startsWith("3.10");
  const newest = es256Key("2026-12");
  const { jwks } = tokensOf({ es256: [newest] });
  const server = createServer((_request, response) => response.end(JSON.stringify(jwks))).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  const app = "rabbitmq_auth_backend_oauth2";
  await rabbitEval(
    `{ok, C} = application:get_env(${app}, key_config), application:set_env(${app}, key_config, [{jwks_url, "${url}"} | C]).`,
  );

  expect(await outcome(issue({ secret }))).toBe("in");
  expect(await outcome(issue({ es256: [newest] }))).toBe("in");
  expect(await outcome(issue({ secret }))).toBe(isOld ? "refused" : "in");

  server.close();
});

async function rabbitEval(expression: string): Promise<string> {
  const { control } = rabbit;
  if (control === null) throw new Error("the broker is not ours to ask");
  const args = ["--node", control.node, "eval", expression];
  const { stdout } = await execute(control.command, args, { env: { ...process.env, ...control.env } });
  return stdout;
}

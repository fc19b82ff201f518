import { randomUUID } from "node:crypto";
import { createTokens } from "@chat21/auth";
import { createLog, operatorApp, operatorPath, systemClock } from "@chat21/runtime";
import { OldClient } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadNodeConfig } from "../src/node/config.ts";
import { createNode, type Node } from "../src/node/create-node.ts";
import { startIdentityProvider } from "./identity-provider.ts";

/** Starts nodes that share a broker, a database and a secret. */
async function startNodes(count: number, environment: Readonly<Record<string, string>> = {}) {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const uri = new URL(mongo.uri);
  uri.pathname = mongo.database;
  const log = await createLog("ERROR", "lines");
  const secret = randomUUID();
  const { config } = loadNodeConfig(
    {},
    {
      ...{ RABBITMQ_URI: rabbit.uri, MONGODB_URI: uri.href, JWT_KEY: secret },
      ...{ CHAT21_HOST: "127.0.0.1", CHAT21_HTTP_PORT: "0", CHAT21_MQTT_PORT: "0" },
      ...environment,
    },
  );
  const nodes: Node[] = [];
  for (let i = 0; i < count; i++) {
    const node = await createNode(config, log);
    onTestFinished(() => node.close());
    nodes.push(node);
  }
  return { nodes, secret };
}

describe("a node", () => {
  it("refuses a server key at once that was revoked at another node", async () => {
    const { nodes, secret } = await startNodes(2);
    const [one, other] = nodes.map(({ addresses }) => addresses.url);
    const tokens = createTokens({ secret, clock: systemClock, newId: randomUUID });
    const operator = tokens.issue({ app: operatorApp, user: "op", admin: true }).token;
    const operate = (method: string, path: string, body?: object) =>
      fetch(`${one}${operatorPath}/apps/tilechat/keys${path}`, {
        method,
        headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const { key, id } = (await (await operate("POST", "", { user: "shop" })).json()) as Record<
      string,
      string
    >;
    const use = async () =>
      (await fetch(`${other}/api/v1/tilechat/users`, { headers: { authorization: `Bearer ${key}` } })).status;

    const before = await use();
    const { status } = await operate("DELETE", `/${id}`);

    expect([before, status, await use()]).toEqual([200, 204, 401]);
  });

  it("takes tokens of an identity provider over MQTT and REST", async () => {
    const { issuer, sign } = await startIdentityProvider();
    const { nodes } = await startNodes(1, { CHAT21_OIDC_ISSUER: issuer, CHAT21_OIDC_AUDIENCE: "our-client" });
    const { mqttUrl, url } = nodes[0]?.addresses ?? {};
    const [token, foreign] = [await sign("our-client"), await sign("another-client")];
    const ask = async (bearer: string) =>
      (
        await fetch(`${url}/api/v1/tilechat/conversations`, {
          headers: { authorization: `Bearer ${bearer}` },
        })
      ).status;

    const client = await OldClient.connect({ url: mqttUrl ?? "", user: "auth0^7C5f7c", token });
    await client.send("auth0^7C5f7c", { text: "hi" });
    await client.nextMessage("auth0^7C5f7c", "hi");

    expect([await ask(token), await ask(foreign)]).toEqual([200, 401]);
  });
});

import { randomUUID } from "node:crypto";
import { createTokens } from "@chat21/auth";
import { createLog, operatorApp, operatorPath, systemClock } from "@chat21/runtime";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadNodeConfig } from "../src/node/config.ts";
import { createNode } from "../src/node/create-node.ts";

describe("a node", () => {
  it("refuses a server key at once that was revoked at another node", async () => {
    const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
    const uri = new URL(mongo.uri);
    uri.pathname = mongo.database;
    const log = await createLog("ERROR", "lines");
    const secret = randomUUID();
    const start = async () => {
      const { config } = loadNodeConfig(
        {},
        {
          RABBITMQ_URI: rabbit.uri,
          MONGODB_URI: uri.href,
          JWT_KEY: secret,
          CHAT21_HOST: "127.0.0.1",
          CHAT21_HTTP_PORT: "0",
          CHAT21_MQTT_PORT: "0",
        },
      );
      const node = await createNode(config, log);
      onTestFinished(() => node.close());
      return node.addresses.url;
    };
    const [one, other] = [await start(), await start()];
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
});

import { createLog } from "@chat21/runtime";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadNodeConfig } from "../src/node/config.ts";
import { createNode } from "../src/node/create-node.ts";

describe("a node", () => {
  it("does not start on a database that observers serve, and says what to do", async () => {
    const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
    const uri = new URL(mongo.uri);
    uri.pathname = mongo.database;
    const log = await createLog("ERROR", "lines");
    await migrateMongoStore({ uri: uri.href, log });
    const store = await connectMongoStore({ uri: uri.href, log });
    onTestFinished(() => store.close());
    await store.leases.acquire("observer-1", ["observer/observer-1"], 60_000);
    const { config } = loadNodeConfig({
      RABBITMQ_URI: rabbit.uri,
      MONGODB_URI: uri.href,
      JWT_KEY: "0123456789abcdef0123456789abcdef",
      CHAT21_HOST: "127.0.0.1",
      CHAT21_HTTP_PORT: "0",
      CHAT21_MQTT_PORT: "0",
    });

    await expect(createNode(config, log)).rejects.toThrow(
      /^observer-1 serves this database: .*stop the observers/,
    );
  });
});

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { compatToken, OldClient } from "@chat21/testkit";
import { afterAll, afterEach, expect, it } from "vitest";
import { findNode } from "../../../infra/local/find-node.ts";
import { freePort, newDataDir, removeDataDirs, ServerProcess } from "./server-process.ts";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const secret = "a-secret-that-is-long-enough-for-these-tests";

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.stop();
});
afterAll(removeDataDirs);

it("serves on the oldest Node that it says it runs on, also requests that offer HTTP/2", async () => {
  const ownPort = await freePort();
  server = await ServerProcess.start({
    node: await findNode(`${engines.node.replace(">=", "")}.0`),
    env: { CHAT21_JWT_SECRET: secret, CHAT21_MQTT_WS_PORT: String(ownPort) },
    dataDir: newDataDir(),
  });
  const token = compatToken("alice", { secret });
  const body = JSON.stringify({ text: "x".repeat(50_000) });
  const offer = {
    connection: "Upgrade, HTTP2-Settings",
    upgrade: "h2c",
    "http2-settings": "AAEAAEAAAAIAAAAB",
  };
  const ask = async (url: string, method: string, sent: string) => {
    const headers = {
      ...offer,
      authorization: token,
      "content-type": "application/json",
      "content-length": sent.length,
    };
    const [answer] = (await once(request(url, { method, headers }).end(sent), "response")) as [
      IncomingMessage,
    ];
    return { status: answer.statusCode, text: await text(answer) };
  };

  const sent = await ask(`${server.url}/api/v1/tilechat/conversations/bob/messages`, "POST", body);
  expect([sent.status, JSON.parse(sent.text).message.text.length]).toEqual([201, 50_000]);
  expect((await ask(`${server.url}/readyz`, "GET", "")).status).toBe(200);
  expect((await ask(`${server.url}/ws`, "GET", "")).status).toBe(426);
  expect((await ask(`http://127.0.0.1:${ownPort}/ws`, "GET", "")).status).toBe(426);
  for (const url of [server.mqttWsUrl, `ws://127.0.0.1:${ownPort}/ws`]) {
    const alice = await OldClient.connect({ url, user: "alice", token });
    alice.end();
  }
});

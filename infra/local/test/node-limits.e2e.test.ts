import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compatToken, OldClient, startWebhookReceiver, testCertificate, World } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { expect, it, onTestFinished } from "vitest";
import {
  certificateFiles,
  firstCertificate,
  pemOf,
  shownBy,
} from "../../../apps/server/test/certificates.ts";
import { expectSlowReaderToLeave } from "../../../apps/server/test/slow-reader.ts";
import { databaseUri } from "./start-cluster.ts";
import { startNode, startNodes } from "./start-nodes.ts";

it("a node closes a client that does not read what comes from another node, and history has it all", async () => {
  const webhooks = await startWebhookReceiver();
  onTestFinished(() => webhooks.close());
  // Clients connect to the second node unless they are told another one.
  const nodes = await startNodes({ webhookEndpoint: webhooks.url });
  const world = new World({ ...nodes, mqttWsUrl: nodes.mqttTcpUrl }, webhooks);
  onTestFinished(async () => {
    await world.leave();
    await nodes.close();
  });

  await expectSlowReaderToLeave(world, nodes.mqttWsUrl);
});

it("a node speaks TLS on all its ports, and shows a new certificate after SIGHUP", async () => {
  const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
  const files = certificateFiles();
  const folder = await mkdtemp(join(tmpdir(), "chat21-node-tls-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { process: running, topology } = await startNode({
    ...{ name: "node-tls", rabbitUri: rabbit.uri, folder, restarts: false },
    mongoUri: databaseUri(mongo.uri, mongo.database),
    env: { CHAT21_TLS_CERT: files.cert, CHAT21_TLS_KEY: files.key },
  });
  onTestFinished(async () => void (await running.stop()));
  const { apiUrl, mqttTcpUrl, mqttWsUrl, secret } = topology;
  const token = compatToken("a", { secret });
  const ports = [apiUrl, mqttTcpUrl, mqttWsUrl];

  const overTcp = await OldClient.connect({ url: mqttTcpUrl, user: "a", token });
  const overWebSocket = await OldClient.connect({ url: mqttWsUrl, user: "a", token });
  await overTcp.send("a", { text: "sealed" }, 1);
  const first = await Promise.all(ports.map(shownBy));
  files.write(testCertificate);
  process.kill(running.pid ?? 0, "SIGHUP");
  await expect
    .poll(() => Promise.all(ports.map(shownBy)))
    .toEqual(ports.map(() => pemOf(testCertificate.cert)));
  await overTcp.send("a", { text: "still here" }, 1);

  expect(ports.map((url) => new URL(url).protocol)).toEqual(["https:", "mqtts:", "wss:"]);
  expect(first).toEqual(ports.map(() => pemOf(firstCertificate.cert)));
  await overWebSocket.nextMessage("a", "sealed");
  await overWebSocket.nextMessage("a", "still here");
  await Promise.all([overTcp.cut(), overWebSocket.cut()]);
});

import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { afterAll, expect, it, onTestFinished } from "vitest";
import {
  expectSecretsToBeReadAgain,
  startSignedReceiver,
  webhookSecret,
} from "../../../apps/server/test/reloaded-secrets.ts";
import { removeDataDirs } from "../../../apps/server/test/server-process.ts";
import { type Program, runProgram } from "./run-program.ts";
import { databaseUri } from "./start-cluster.ts";

afterAll(removeDataDirs);

const secret = "0123456789abcdefghijklmnopqrstuv";

/** Settings of processes on a new database, whose webhooks go to a receiver. */
async function prepare() {
  const [rabbit, mongo, receiver, folder] = await Promise.all([
    requireRabbit(),
    requireMongo(),
    startSignedReceiver(),
    mkdtemp(join(tmpdir(), "chat21-webhook-secrets-")),
  ]);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "secrets");
  const first = webhookSecret();
  writeFileSync(file, first);
  const env = {
    ...{ RABBITMQ_URI: rabbit.uri, MONGODB_URI: databaseUri(mongo.uri, mongo.database), JWT_KEY: secret },
    ...{ CHAT21_HOST: "127.0.0.1", CHAT21_HTTP_PORT: "0", CHAT21_MQTT_PORT: "0", METRICS_PORT: "0" },
    ...{ WEBHOOK_ENDPOINTS: receiver.url, WEBHOOK_SECRETS_FILE: file, WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8" },
  };
  const run = (program: Program, ...args: readonly string[]) => {
    const running = runProgram(program, env, args);
    onTestFinished(async () => {
      running.signal("SIGKILL");
      await running.ended;
    });
    return running;
  };
  return { receiver, file, first, secret, run };
}

it("SIGHUP signs webhooks of a node with the secrets of its file", async () => {
  const { run, ...prepared } = await prepare();
  const node = run("server", "node");
  const { url, metricsUrl } = await node.ready;

  await expectSecretsToBeReadAgain({
    ...{ ...prepared, url: String(url), metricsUrl: String(metricsUrl) },
    hangUp: () => node.signal("SIGHUP"),
  });
});

it("SIGHUP signs webhooks of chat21-webhooks with the secrets of its file", async () => {
  const { run, ...prepared } = await prepare();
  const [api, webhooks] = [run("http-api"), run("webhooks")];
  const { apiUrl } = await api.ready;
  const { metricsUrl } = await webhooks.ready;

  await expectSecretsToBeReadAgain({
    ...{ ...prepared, url: new URL(String(apiUrl)).origin, metricsUrl: String(metricsUrl) },
    hangUp: () => webhooks.signal("SIGHUP"),
  });
});

it("a file of secrets that cannot be used stops the start in one line that shows none", async () => {
  const { run, file } = await prepare();
  writeFileSync(file, "whsec_short");

  const { code, stderr, stdout } = await run("server", "node").ended;

  expect(code).toBe(1);
  expect(`${stderr}${stdout}`).toContain(`WEBHOOK_SECRETS_FILE: ${file}: expected one secret`);
  expect(`${stderr}${stdout}`).not.toContain("whsec_short");
});

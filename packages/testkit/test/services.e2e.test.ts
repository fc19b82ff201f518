import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect, connectAsync } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { isAlive } from "../../../infra/local/processes.ts";
import { readServices } from "../../../infra/local/service-folder.ts";
import { compatToken } from "../src/index.ts";
import { requireMongo, requireRabbit } from "../src/services.ts";

const execute = promisify(execFile);
const script = fileURLToPath(new URL("../../../infra/local/services.ts", import.meta.url));

/** Whether the broker opens a session; over WebSocket this one closes without a word when it does not. */
async function isLetIn(uri: string, password: string): Promise<boolean> {
  const client = connect(uri, { protocolVersion: 4, username: "JWT", password, reconnectPeriod: 0 });
  client.on("error", () => {});
  const answer = await new Promise<boolean>((resolve) => {
    client.once("connect", () => resolve(true));
    client.once("close", () => resolve(false));
  });
  await client.endAsync(true);
  return answer;
}

describe("the run's services", () => {
  it("are one of each, however many ask", async () => {
    const [one, two] = await Promise.all([requireMongo(), requireMongo()]);

    expect(two.uri).toBe(one.uri);
    expect(two.database).not.toBe(one.database);
  });

  it("let an own one be ended without the other", async () => {
    const [shared, own] = [await requireMongo(), await requireMongo({ isOwn: true })];

    await own.stop();

    expect(own.uri).not.toBe(shared.uri);
    expect(isAlive(own.pid ?? 0)).toBe(false);
    expect(shared.pid === null || isAlive(shared.pid)).toBe(true);
  });

  it("take an old client with a token of the shared secret over MQTT and over WebSocket, and no other", async () => {
    const rabbit = await requireRabbit({ isOwn: true, jwtSecret: 'a "secret" with {odd} characters' });
    onTestFinished(() => rabbit.stop());
    const token = compatToken("ann", { secret: rabbit.jwtSecret ?? "" });
    const forged = compatToken("ann", { secret: "another" });
    const topic = "apps/tilechat/users/ann/test";

    for (const uri of [rabbit.mqttUri, rabbit.webMqttUri]) {
      const client = await connectAsync(uri ?? "", { protocolVersion: 4, username: "JWT", password: token });
      await client.subscribeAsync(topic, { qos: 1 });
      const received = new Promise((resolve) =>
        client.once("message", (_, payload) => resolve(String(payload))),
      );
      await client.publishAsync(topic, "hello", { qos: 1 });
      expect(await received).toBe("hello");
      await client.endAsync();
      expect(await isLetIn(uri ?? "", token)).toBe(true);
      expect(await isLetIn(uri ?? "", forged)).toBe(false);
    }
    await rabbit.stop();
    expect(isAlive(rabbit.pid ?? 0)).toBe(false);
  });
});

describe("infra/local/services.ts", () => {
  const env = { ...process.env, MONGODB_URI: "", RABBITMQ_URI: "amqp://broker.example" };

  it("brings up once what is not given, and takes down by id what it brought up", async () => {
    const parent = await mkdtemp(join(tmpdir(), "chat21-up-"));
    const folder = join(parent, "services");
    const run = (command: string) =>
      execute(process.execPath, [script, command, "--folder", folder], { env });

    await Promise.all([run("up"), run("up")]);
    const { stdout } = await run("status");
    const { mongo, rabbit } = await readServices(folder);
    await run("down");

    expect(stdout).toContain("RABBITMQ_URI=amqp://broker.example  # environment");
    expect(stdout).toContain(`MONGODB_URI=${mongo?.uri}`);
    expect(rabbit?.origin).toBe("environment");
    expect(mongo?.pid === null || isAlive(mongo?.pid ?? 0)).toBe(false);
    expect((await run("status")).stdout).toBe("nothing is up\n");
    await rm(parent, { recursive: true });
  });

  it("says what can be done where nothing can be had", async () => {
    const folder = await mkdtemp(join(tmpdir(), "chat21-none-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const bare = { ...env, MONGOMS_SYSTEM_BINARY: "/nowhere/mongod", PATH: "/nowhere" };

    const failed = execute(process.execPath, [script, "up", "--folder", folder], { env: bare });

    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("MONGOMS_SYSTEM_BINARY"),
    });
  });
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { compatToken, OldClient, type Topology } from "@chat21/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "./run-program.ts";
import { startCluster } from "./start-cluster.ts";
import { startNodes } from "./start-nodes.ts";

let cluster: Topology;
let isPoisoned: boolean;
const received: string[] = [];

/** Answers 500 to the sent message "poison" until `isPoisoned` is false. */
const backend = createServer(async (request, response) => {
  const text = Buffer.concat(await request.toArray()).toString();
  const isBad = isPoisoned && text.includes('"poison"') && text.includes('"message-sent"');
  if (!isBad) received.push(text);
  response.writeHead(isBad ? 500 : 200).end();
});
let endpoint: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/hook`;
});
afterAll(() => {
  backend.close();
});

/** Runs a command of the one-process server against the cluster. */
async function chat21(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const url = new URL(cluster.apiUrl).origin;
  const secret = { CHAT21_JWT_SECRET: cluster.secret, CHAT21_URL: url };
  return runProgram("server", { ...secret, ...env }, args).ended;
}

const json = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await chat21([...args, "--json"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout.trim() === ""
    ? []
    : stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
};

const connect = (user: string) =>
  OldClient.connect({
    url: cluster.mqttWsUrl,
    user,
    token: compatToken(user, { secret: cluster.secret }),
  });

const hasArrived = (text: string) => received.some((body) => body.includes(`"${text}"`));

const topologies = [
  ["observers, API and webhooks", startCluster],
  ["nodes", startNodes],
] as const;

describe.each(topologies)("An operator of %s", (_what, start) => {
  beforeAll(async () => {
    isPoisoned = true;
    received.splice(0);
    cluster = await start({ webhookEndpoint: endpoint });
  });
  afterAll(() => cluster?.close());

  it("finds the event that blocks a conversation, skips it, and has it sent later", async () => {
    const ann = await connect("ann");
    for (const text of ["poison", "behind"]) await ann.send("bob", { text }, 1);
    const pending = () => json("webhooks", "log", "--state", "pending", "--event", "message-sent");
    await expect.poll(async () => (await pending()).at(-1)?.attempts).toBeGreaterThan(0);
    const blocking = (await pending()).at(-1);

    const skipped = await json("webhooks", "skip", blocking.id);
    await expect.poll(() => hasArrived("behind")).toBe(true);
    isPoisoned = false;
    const replayed = await json("webhooks", "replay", blocking.id);
    await expect.poll(() => hasArrived("poison")).toBe(true);
    const retried = await json("webhooks", "retry", endpoint);

    expect(blocking).toMatchObject({ endpoint, lastStatus: 500 });
    expect([skipped, replayed, retried]).toEqual([[{ skipped: 1 }], [{ replayed: 1 }], [{ retried: 0 }]]);
  });

  it("sends a test event, which is signed and sent", async () => {
    const list = await json("webhooks", "list");
    const [tested] = await json("webhooks", "test");

    expect(list).toMatchObject([{ enabled: true, endpoints: [endpoint] }]);
    expect(tested).toMatchObject({ delivered: true, status: 200, error: null });
    expect(received.some((body) => body.includes("webhook-test"))).toBe(true);
  });

  it("erases a person", async () => {
    await json("users", "put", "gone", "--fullname", "Gone G.");
    const [gone, stays] = [await connect("gone"), await connect("stays")];
    await gone.send("stays", { text: "my secret" }, 1);
    await stays.nextMessage("gone", "my secret");
    await stays.send("gone", { text: "an answer", recipient_fullname: "Gone G." }, 1);
    await gone.nextMessage("stays", "an answer");

    const erased = await json("erase", "gone", "--yes");
    const history = await json("history", "gone", "--as", "stays");

    expect(erased).toMatchObject([{ messages: 1, names: 1, groups: 0, profile: true, instances: 0 }]);
    expect(JSON.stringify(history)).toContain("an answer");
    expect(JSON.stringify(history)).not.toMatch(/my secret|Gone G\./);
    expect(erased[0].webhooks).toBeGreaterThan(0);
    expect((await chat21(["users", "show", "gone"])).code).toBe(1);
  });

  it("is refused with the token of an app's admin, and told which one it takes", async () => {
    const token = compatToken("backend", { secret: cluster.secret, role: "admin" });

    const { code, stderr } = await chat21(["webhooks", "list", "--token", token]);

    expect(code).toBe(1);
    expect(stderr).toContain("an operator's token");
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compatToken, OldClient } from "@chat21/testkit";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer, loadConfig, OperatorError, type Server } from "../src/index.ts";
import { startIdentityProvider } from "./identity-provider.ts";

const log = pino({ level: "silent" });
const secret = "the-tests-of-create-server-share-this-secret";

let folder: string;
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chat21-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const open = (environment: Readonly<Record<string, string>> = {}) => {
  const { config } = loadConfig(
    { httpPort: "0", mqttPort: "0", dataDir: join(folder, "data") },
    { CHAT21_JWT_SECRET: secret, ...environment },
  );
  return createServer(config, log);
};

describe("a server in this process", () => {
  it("serves until it is closed, and again from the same folder", async () => {
    server = await open();
    const { mqttUrl, url } = server.addresses;
    const client = await OldClient.connect({
      url: mqttUrl ?? "",
      user: "a",
      token: compatToken("a", { secret }),
    });
    await client.send("a", { text: "hi" });
    await client.nextMessage("a", "hi");

    await Promise.all([server.close(), server.close()]);
    await client.closed;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    server = await open();

    const answer = await fetch(`${server.addresses.url}/api/tilechat/a/conversations/a/messages`, {
      headers: { authorization: compatToken("a", { secret }) },
    });
    expect(((await answer.json()) as { result: unknown[] }).result).toHaveLength(1);
  });

  it("refuses messages and groups when its disk has no room, reads on, and says so", async () => {
    server = await open();
    const { mqttUrl } = server.addresses;
    const first = await OldClient.connect({
      url: mqttUrl ?? "",
      user: "a",
      token: compatToken("a", { secret }),
    });
    await first.send("b", { text: "before" });
    await first.nextMessage("b", "before");
    first.end();
    await server.close();
    // More than any disk has.
    server = await open({ CHAT21_DISK_RESERVE_MIB: "1073741824" });
    const api = `${server.addresses.url}/api/v1/tilechat`;
    const authorization = compatToken("a", { secret });
    const headers = { authorization, "content-type": "application/json" };
    const post = (path: string, body: object) =>
      fetch(`${api}${path}`, { method: "POST", headers, body: JSON.stringify(body) });

    const message = await post("/conversations/b/messages", { text: "after" });
    const group = await post("/groups", { name: "T" });
    const history = await fetch(`${api}/conversations/b/events`, { headers });
    const ready = await fetch(`${server.addresses.url}/readyz`);

    expect([message.status, ((await message.json()) as { code: string }).code]).toEqual([
      507,
      "storage_full",
    ]);
    expect([group.status, ((await group.json()) as { code: string }).code]).toEqual([507, "storage_full"]);
    expect(await history.text()).toContain("before");
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reason: "storage_full" }]);
  });

  it("opens the listeners that it is told to, and no others", async () => {
    server = await open({ CHAT21_MQTT_WS_PORT: "0" });
    const { addresses } = server;
    await server.close();
    const { config } = loadConfig({ httpPort: "0", mqttPort: "off", dataDir: join(folder, "data") }, {});
    server = await createServer(config, log);

    expect(addresses.ownMqttWsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws$/);
    expect(server.addresses).toMatchObject({ mqttUrl: null, ownMqttWsUrl: null });
  });

  it("counts bad tokens of REST and of operators' paths together", async () => {
    server = await open({ CHAT21_AUTH_FAILURES_PER_MINUTE: "2" });
    const statuses: number[] = [];
    for (const path of ["/operator/webhooks", "/api/v1/tilechat/groups", "/operator/webhooks"]) {
      const headers = { authorization: "Bearer bad" };
      statuses.push((await fetch(`${server.addresses.url}${path}`, { headers })).status);
    }

    expect(statuses).toEqual([401, 401, 429]);
  });

  it("takes tokens of an identity provider over MQTT and REST, and ends them like its own", async () => {
    const { issuer, sign } = await startIdentityProvider();
    server = await open({ CHAT21_OIDC_ISSUER: issuer, CHAT21_OIDC_AUDIENCE: "our-client" });
    const { mqttUrl, url } = server.addresses;
    const token = await sign("our-client");
    const ask = (bearer: string) =>
      fetch(`${url}/api/v1/tilechat/conversations`, { headers: { authorization: `Bearer ${bearer}` } });

    const client = await OldClient.connect({ url: mqttUrl ?? "", user: "auth0^7C5f7c", token });
    await client.send("auth0^7C5f7c", { text: "hi" });
    await client.nextMessage("auth0^7C5f7c", "hi");
    expect((await ask(token)).status).toBe(200);
    expect((await ask(await sign("another-client"))).status).toBe(401);

    const revoke = await fetch(`${url}/api/v1/tilechat/users/auth0%7C5f7c/tokens/revoke`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${compatToken("admin", { secret, role: "admin" })}`,
        "content-type": "application/json",
      },
      body: "{}",
    });
    expect(revoke.ok).toBe(true);
    await client.closed;
    expect((await ask(token)).status).toBe(401);
  });

  it("that cannot have a port lets go of everything it had", async () => {
    const squatter = createSocketServer();
    const port = await new Promise<number>((resolve) =>
      squatter.listen(0, "127.0.0.1", () => resolve((squatter.address() as { port: number }).port)),
    );
    const { config } = loadConfig(
      { httpPort: String(port), mqttPort: "0", dataDir: join(folder, "data") },
      {},
    );

    await expect(createServer(config, log)).rejects.toThrow(OperatorError);
    squatter.close();

    server = await open();
    expect(server.addresses.url).toMatch(/^http:/);
  });

  it("has names from profiles, and from a lookup where there is none", async () => {
    const directory = createSocketServer((socket) => {
      const body = JSON.stringify({ firstname: "Look", lastname: "Up" });
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
    const port = await new Promise<number>((resolve) =>
      directory.listen(0, "127.0.0.1", () => resolve((directory.address() as { port: number }).port)),
    );
    server = await open({ CONTACTS_LOOKUP_ENDPOINT: `http://127.0.0.1:${port}/users` });
    const call = (method: string, path: string, body: unknown) =>
      fetch(`${server?.addresses.url}/api/${path}`, {
        method,
        headers: {
          authorization: compatToken("admin", { secret, role: "admin" }),
          "content-type": "application/json",
        },
        body: JSON.stringify(body),
      });
    await call("PUT", "v1/tilechat/users/known", { fullname: "Known Person" });
    await call("POST", "tilechat/groups", {
      ...{
        group_name: "G",
        group_id: "group-names",
        group_members: { known: 1, other: 1 },
        group_owner: "known",
      },
    });

    const answer = await fetch(
      `${server.addresses.url}/api/tilechat/known/conversations/group-names/messages`,
      {
        headers: { authorization: compatToken("known", { secret }) },
      },
    );
    directory.close();

    const texts = ((await answer.json()) as { result: { text: string }[] }).result.map(({ text }) => text);
    expect(texts).toEqual(
      expect.arrayContaining(["Known Person joined group on creation", "Look Up joined group on creation"]),
    );
  });

  it("replays as many webhook events at once as one request may name, and no more", async () => {
    server = await open();
    const token = compatToken("operator", { secret, role: "admin", app: "chat21-operator" });
    const replay = (count: number) =>
      fetch(`${server?.addresses.url}/operator/webhooks/replay`, {
        method: "POST",
        headers: { authorization: token, "content-type": "application/json" },
        body: JSON.stringify({
          ids: Array.from({ length: count }, (_, index) => `${index}`.padEnd(200, "x")),
        }),
      });

    const most = await replay(1_000);
    const more = await replay(1_001);

    expect([most.status, await most.json()]).toEqual([200, { replayed: 0 }]);
    expect([more.status, await more.json()]).toMatchObject([400, { code: "bad_request" }]);
  });

  it("closes the connections of a token that is revoked", async () => {
    server = await open();
    const { url, mqttUrl } = server.addresses;
    const connect = (tokenId: string) =>
      OldClient.connect({ url: mqttUrl ?? "", user: "a", token: compatToken("a", { secret, tokenId }) });
    const [revoked, kept] = [await connect("token-1"), await connect("token-2")];

    const answer = await fetch(`${url}/api/v1/tilechat/users/a/tokens/revoke`, {
      method: "POST",
      headers: { authorization: compatToken("a", { secret }), "content-type": "application/json" },
      body: JSON.stringify({ token_id: "token-1" }),
    });
    await revoked.closed;
    await kept.send("a", { text: "still here" });

    expect(answer.status).toBe(204);
    expect((await kept.nextMessage("a")).payload.text).toBe("still here");
    await expect(connect("token-1")).rejects.toThrow();
  });
});

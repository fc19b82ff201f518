import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compatToken, OldClient } from "@chat21/testkit";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { freePort, newDataDir, removeDataDirs, runChat21, ServerProcess } from "./server-process.ts";

let server: ServerProcess | undefined;

afterEach(async () => {
  await server?.stop("SIGKILL");
  server = undefined;
});
afterAll(removeDataDirs);

const secret = "a-secret-that-is-long-enough-for-these-tests";

describe("chat21 start", () => {
  it("serves page, REST, WebSocket and TCP within a second, and makes its secret for itself alone", async () => {
    server = await ServerProcess.start();

    const page = await fetch(`${server.url}/`);
    const alive = await fetch(`${server.url}/healthz`);
    const ready = await fetch(`${server.url}/readyz`);
    const path = join(server.dataDir, "jwt-secret");
    const token = compatToken("a", { secret: readFileSync(path, "utf8").trim() });
    const overTcp = await OldClient.connect({ url: server.mqttUrl, user: "a", token });
    const overWebSocket = await OldClient.connect({ url: server.mqttWsUrl, user: "a", token });
    await overTcp.send("a", { text: "hi" });

    expect((await overWebSocket.nextMessage("a")).payload.text).toBe("hi");
    expect([page.status, alive.status, ready.status]).toEqual([200, 200, 200]);
    expect(await page.text()).toContain('<div id="root">');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
    // The promise is one second; a machine that runs other tests as well gets some more.
    expect(server.readyInMs).toBeLessThan(2_500);
  });

  it("starts with flags that are for the whole process", async () => {
    server = await ServerProcess.start({ nodeArgs: ["--max-old-space-size=512", "--no-deprecation"] });

    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it("keeps browsers from anything but its own files and itself, and lets them keep what cannot change", async () => {
    server = await ServerProcess.start();

    const page = await fetch(`${server.url}/`);
    const [, asset] = /src="\.?(\/assets\/[^"]+\.js)"/.exec(await page.text()) ?? [];
    const script = await fetch(`${server.url}${asset}`);
    const nothing = await fetch(`${server.url}/assets/none.js`);
    const { gzip, br, identity } = Object.fromEntries(
      await Promise.all(
        ["gzip", "br", "identity"].map(async (encoding) => {
          const answer = await fetch(`${server?.url}${asset}`, { headers: { "accept-encoding": encoding } });
          return [encoding, { is: answer.headers.get("content-encoding"), text: await answer.text() }];
        }),
      ),
    );

    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("content-security-policy")).not.toContain("unsafe");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("x-powered-by")).toBeNull();
    expect(script.status).toBe(200);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(nothing.status).toBe(404);
    expect([gzip.is, br.is, identity.is]).toEqual(["gzip", "br", null]);
    expect(gzip.text === identity.text && br.text === identity.text).toBe(true);
    expect(script.headers.get("vary")).toBe("Accept-Encoding");
  });

  it("takes MQTT where clients look for it, says so to others, and answers requests that offer HTTP/2", async () => {
    server = await ServerProcess.start();
    const { url } = server;
    const opened = ["/ws", "/ws/", "/mqtt", "/mqtt?x=1"].map(async (path) => {
      const socket = new WebSocket(new URL(path, url.replace("http", "ws")), "mqtt");
      await once(socket, "open");
      socket.close();
      return path;
    });

    expect(await Promise.all(opened)).toHaveLength(4);
    const plain = await fetch(`${url}/ws`);
    expect([plain.status, plain.headers.get("upgrade")]).toEqual([426, "websocket"]);
    const offer = {
      connection: "Upgrade, HTTP2-Settings",
      upgrade: "h2c",
      "http2-settings": "AAEAAEAAAAIAAAAB",
    };
    const [answer] = await once(request(`${url}/readyz`, { headers: offer }).end(), "response");
    expect(answer.statusCode).toBe(200);
    answer.resume();
  });

  it("signs with the newest key of a folder, and takes tokens of the secret as before", async () => {
    const dataDir = newDataDir();
    const keysDir = join(dataDir, "keys");
    mkdirSync(keysDir, { recursive: true });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(keysDir, "2026-11.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
    server = await ServerProcess.start({ dataDir, env: { CHAT21_JWT_KEYS_DIR: keysDir } });
    const secret = readFileSync(join(dataDir, "jwt-secret"), "utf8").trim();
    const admin = compatToken("backend", { secret, role: "admin" });

    const issued = await fetch(`${server.url}/api/v1/tilechat/users/ann/tokens`, {
      method: "POST",
      headers: { authorization: admin, "content-type": "application/json" },
      body: "{}",
    });
    const { token } = (await issued.json()) as { token: string };
    const whoami = await fetch(`${server.url}/verify`, { headers: { authorization: token } });
    const keys = await fetch(`${server.url}/.well-known/jwks.json`);

    expect(JSON.parse(atob(token.split(".")[0] ?? ""))).toMatchObject({ alg: "ES256", kid: "2026-11" });
    expect(await whoami.json()).toMatchObject({ sub: "ann" });
    expect(await keys.json()).toMatchObject({ keys: [{ kid: "2026-11", kty: "EC" }] });
  });

  it("keeps secret and history over a restart", async () => {
    const dataDir = newDataDir();
    server = await ServerProcess.start({ dataDir });
    const key = readFileSync(join(dataDir, "jwt-secret"), "utf8").trim();
    const token = compatToken("a", { secret: key });
    const first = await OldClient.connect({ url: server.mqttUrl, user: "a", token });
    await first.send("b", { text: "before" }, 1);
    const stopped = await server.stop();

    server = await ServerProcess.start({ dataDir });
    const answer = await fetch(`${server.url}/api/tilechat/a/conversations/b/messages`, {
      headers: { authorization: token },
    });

    expect(stopped.code).toBe(0);
    expect(((await answer.json()) as { result: unknown }).result).toMatchObject([{ text: "before", seq: 1 }]);
  });

  it("signs people in by name in development, and not in production", async () => {
    server = await ServerProcess.start();
    const key = readFileSync(join(server.dataDir, "sign-in-key"), "utf8").trim();
    const signIn = (url: string, body: object = { key }) =>
      fetch(`${url}/api/v1/tilechat/signin/development`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: "alice", fullname: "Alice", ...body }),
      });
    const inDevelopment = await signIn(server.url);
    // As through nginx with its defaults: nothing but the key tells this caller from a person at the machine.
    const throughProxy = await signIn(server.url, {});
    expect(server.stdout).toContain(`"signInUrl":"${server.url}/#key=${key}"`);
    expect(statSync(join(server.dataDir, "sign-in-key")).mode & 0o777).toBe(0o600);
    await server.stop();

    server = await ServerProcess.start({ env: { CHAT21_JWT_SECRET: secret } });
    const withSecret = await signIn(server.url);
    expect(server.stdout).toContain('"signInUrl":null');
    await server.stop();
    server = await ServerProcess.start({ env: { CHAT21_JWT_SECRET: secret, CHAT21_DEV: "1" } });
    const asked = await signIn(server.url, {
      key: readFileSync(join(server.dataDir, "sign-in-key"), "utf8").trim(),
    });
    await server.stop();

    server = await ServerProcess.start({ env: { CHAT21_DEV: "0" } });
    const inProduction = await signIn(server.url);
    await server.stop();
    server = await ServerProcess.start({ env: { CHAT21_HOST: "0.0.0.0", CHAT21_DEV: "1" } });
    const offLoopback = await signIn(server.url);

    expect([inDevelopment.status, asked.status]).toEqual([201, 201]);
    expect([throughProxy.status, withSecret.status]).toEqual([403, 404]);
    expect([inProduction.status, offLoopback.status]).toEqual([404, 404]);
    expect(server.stdout).toContain("CHAT21_DEV has no effect: 0.0.0.0 can be reached from other machines");
  });

  it("serves only the apps it is told to", async () => {
    server = await ServerProcess.start({ env: { CHAT21_APPS: "one,two", CHAT21_JWT_SECRET: secret } });
    const { mqttUrl } = server;
    const connect = (app: string) =>
      OldClient.connect({ url: mqttUrl, app, user: "a", token: compatToken("a", { secret, app }) });

    const client = await connect("two");

    await expect(connect("three")).rejects.toThrow();
    await client.end();
  });

  it("names once what it does not use, and asks back about what it does not know", async () => {
    server = await ServerProcess.start({
      env: { RABBITMQ_URI: "amqp://x", CHAT21_HTP_PORT: "1", JWT_KEY: "tokenKey", WEBHOOK_ENDPIONTS: "x" },
    });

    const lines = server.stdout.split("\n");
    const about = (text: string) => lines.filter((line) => line.includes(text)).length;
    expect(about("RABBITMQ_URI is not used: everything runs in this process, without RabbitMQ")).toBe(1);
    expect(about("CHAT21_HTP_PORT is not a setting; did you mean CHAT21_HTTP_PORT?")).toBe(1);
    expect(about("WEBHOOK_ENDPIONTS is not a setting; did you mean WEBHOOK_ENDPOINTS?")).toBe(1);
    expect(about("the secret that signs tokens is weak")).toBe(1);
    expect(server.stdout).not.toContain("tokenKey");
  });

  it("speaks TLS with a certificate", async () => {
    const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
    server = await ServerProcess.start({
      env: {
        CHAT21_TLS_CERT: fixture("cert.pem"),
        CHAT21_TLS_KEY: fixture("key.pem"),
        CHAT21_JWT_SECRET: secret,
      },
    });
    const token = compatToken("a", { secret });

    const overTcp = await OldClient.connect({ url: server.mqttUrl, user: "a", token });
    const overWebSocket = await OldClient.connect({ url: server.mqttWsUrl, user: "a", token });
    await overTcp.send("a", { text: "sealed" });

    expect((await overWebSocket.nextMessage("a")).payload.text).toBe("sealed");
    expect(server.url).toMatch(/^https:/);
    expect(server.mqttUrl).toMatch(/^mqtts:/);
    expect(server.mqttWsUrl).toMatch(/^wss:/);
  });
});

describe("chat21 start refuses to start, in one line that says what to do, with exit code 1,", () => {
  const start = (env: Readonly<Record<string, string>>) =>
    runChat21(["start"], {
      env: { CHAT21_HTTP_PORT: "0", CHAT21_MQTT_PORT: "0", CHAT21_DATA_DIR: newDataDir(), ...env },
    });

  it.each([
    [{ CHAT21_HTTP_PORT: "80x" }, 'CHAT21_HTTP_PORT: expected a port number, 0 to 65535, got "80x"'],
    [
      { CHAT21_MQTT_PORT: "70000" },
      'CHAT21_MQTT_PORT: expected a port number, 0 to 65535, or off, got "70000"',
    ],
    [{ CHAT21_APPS: "a/b" }, "CHAT21_APPS: expected app ids between commas"],
    [{ CHAT21_DEV: "perhaps" }, "CHAT21_DEV: expected 1, 0, true, false"],
    [{ LOG_LEVEL: "LOUD" }, "LOG_LEVEL: expected ERROR, WARN, INFO, VERBOSE, DEBUG"],
    [{ WEBHOOK_ENDPOINTS: "ftp://x" }, "WEBHOOK_ENDPOINTS: expected addresses that begin with http"],
    [{ CHAT21_TLS_CERT: "/nowhere/cert.pem" }, "CHAT21_TLS_KEY: missing, although CHAT21_TLS_CERT is set"],
    [
      { CHAT21_TLS_CERT: "/nowhere/c.pem", CHAT21_TLS_KEY: "/nowhere/k.pem" },
      "/nowhere/c.pem cannot be read (ENOENT)",
    ],
    [{ CHAT21_HOST: "192.0.2.1" }, "is not an address of this machine"],
  ])("for %j", async (env, message) => {
    const { code, stdout, stderr } = await start(env);

    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).not.toContain("ready");
  });

  it.each([["CHAT21_HTTP_PORT"], ["CHAT21_MQTT_PORT"], ["CHAT21_MQTT_WS_PORT"]])(
    "when %s is in use",
    async (name) => {
      const port = await freePort();
      const squatter = createServer();
      await new Promise<void>((resolve) => squatter.listen(port, "127.0.0.1", resolve));

      const { code, stderr } = await start({ [name]: String(port) });
      squatter.close();

      expect(code).toBe(1);
      expect(stderr).toContain(`port ${port} on 127.0.0.1 is in use`);
      expect(stderr).toContain(name);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    },
  );

  it("when the data folder cannot be written to", async () => {
    const dataDir = newDataDir();
    writeFileSync(dataDir, "in the way");

    const { code, stderr } = await start({ CHAT21_DATA_DIR: dataDir });

    expect(code).toBe(1);
    expect(stderr).toMatch(/^chat21: .* is in the way: move it, or choose another folder/);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("when the data folder cannot even be made", async () => {
    const { code, stderr } = await start({ CHAT21_DATA_DIR: "/dev/null/data" });

    expect(code).toBe(1);
    expect(stderr).toMatch(/^chat21: \/dev\/null\/data: cannot be written to \(ENOTDIR\)/);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("when the database is damaged", async () => {
    const dataDir = newDataDir();
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "chat21.db"), "this is no database, but long enough to be one ".repeat(400));

    const { code, stderr } = await start({ CHAT21_DATA_DIR: dataDir });

    expect(code).toBe(1);
    expect(stderr).toContain("restore a backup");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("when another process uses the data folder", async () => {
    server = await ServerProcess.start();

    const { code, stderr } = await start({ CHAT21_DATA_DIR: server.dataDir });

    expect(code).toBe(1);
    expect(stderr).toContain("is in use by another process");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

describe("a server that is told to stop", () => {
  it("acknowledges what it took, accepts nothing more and ends with 0 within 10 s", async () => {
    server = await ServerProcess.start({ env: { CHAT21_JWT_SECRET: secret, CHAT21_RATE_LIMITS: "off" } });
    const { mqttUrl, dataDir, url } = server;
    const token = compatToken("a", { secret });
    const client = await OldClient.connect({ url: mqttUrl, user: "a", token });
    const idle = await OldClient.connect({ url: mqttUrl, user: "b", token: compatToken("b", { secret }) });
    let acknowledged = 0;
    const sends = Array.from({ length: 2_000 }, (_, index) =>
      client.send("b", { text: `m${index}` }, 1).then(
        () => acknowledged++,
        () => undefined,
      ),
    );
    await idle.nextMessage("a", "m100");

    const began = performance.now();
    const stopped = await server.stop();
    const tookMs = performance.now() - began;
    await Promise.all([...sends, client.closed, idle.closed]);
    server = await ServerProcess.start({ dataDir, env: { CHAT21_JWT_SECRET: secret } });
    const page = await fetch(`${server.url}/api/tilechat/a/conversations/b/messages?limit=1`, {
      headers: { authorization: token },
    });
    const [newest] = ((await page.json()) as { result: { seq: number }[] }).result;

    expect(stopped.code).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
    expect(acknowledged).toBeGreaterThan(100);
    expect(newest?.seq).toBeGreaterThanOrEqual(acknowledged);
    expect(url).not.toBe("");
  });

  it("does the same at SIGINT, and leaves no word of itself behind", async () => {
    server = await ServerProcess.start();
    const word = join(server.dataDir, "server.json");
    const before = existsSync(word);

    const { code, stdout } = await server.stop("SIGINT");

    expect(before).toBe(true);
    expect(code).toBe(0);
    expect(stdout).toContain('"msg":"stopped"');
    expect(existsSync(word)).toBe(false);
  });
});

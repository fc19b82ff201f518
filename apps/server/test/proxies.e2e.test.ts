import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { compatToken, connectPacket, encodePackets, testCertificate } from "@chat21/testkit";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { findDebianProgram } from "../../../infra/local/debian-program.ts";
import { runCommand } from "../../../infra/local/run-command.ts";
import { documentedSnippet } from "./documented-snippets.ts";
import { freePort, newDataDir, removeDataDirs, ServerProcess } from "./server-process.ts";

let server: ServerProcess;
let proxy: ChildProcess | undefined;
let port: number;
let folder: string;

beforeEach(async () => {
  folder = dirname(newDataDir());
  server = await ServerProcess.start({
    env: { CHAT21_DEV: "0", CHAT21_TRUST_PROXY: "1", LOG_LEVEL: "DEBUG" },
  });
  port = await freePort();
  mkdirSync(join(folder, "tls"), { recursive: true });
  writeFileSync(join(folder, "tls/chain.pem"), testCertificate.cert);
  writeFileSync(join(folder, "tls/key.pem"), testCertificate.key);
});
afterEach(async () => {
  if (proxy?.exitCode === null) {
    proxy.kill("SIGTERM");
    await once(proxy, "close");
  }
  await server.stop();
});
afterAll(removeDataDirs);

/** Puts the test's own address, port and certificate where the page has those of its example. */
function adapt(snippet: string, places: Readonly<Record<string, string>>): string {
  return Object.entries({ "127.0.0.1:8010": new URL(server.url).host, ...places }).reduce(
    (adapted, [from, to]) => {
      expect(adapted).toContain(from);
      return adapted.replaceAll(from, to);
    },
    snippet,
  );
}

async function startNginx(): Promise<void> {
  const site = adapt(documentedSnippet("nginx"), {
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "/etc/ssl/chat.example.com": join(folder, "tls"),
  });
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  // Started by root, its workers would be nobody, who may not write to the folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const config = join(folder, "nginx.conf");
  writeFileSync(
    config,
    `daemon off; ${user} pid ${folder}/nginx.pid; error_log stderr; events {}\nhttp { access_log off; ${temp.join(" ")}\n${site}}\n`,
  );
  start(await findDebianProgram("nginx", "usr/sbin/nginx"), ["-c", config, "-p", folder]);
}

async function startCaddy(): Promise<void> {
  const site = adapt(documentedSnippet("caddyfile"), {
    "chat.example.com {": `https://127.0.0.1:${port} {\n\ttls ${folder}/tls/chain.pem ${folder}/tls/key.pem`,
  });
  const config = join(folder, "Caddyfile");
  writeFileSync(config, `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
  start(await findDebianProgram("caddy", "usr/bin/caddy"), [
    "run",
    "--adapter",
    "caddyfile",
    "--config",
    config,
  ]);
}

function start(command: string, args: readonly string[]): void {
  proxy = spawn(command, args, {
    env: { ...process.env, HOME: folder },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

const isOpen = () =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });

/** Sends a request through the proxy from an address of this machine. */
async function send(path: string, { body = "", ...options }: RequestOptions & { body?: string } = {}) {
  const sent = request({ host: "127.0.0.1", port, path, ca: testCertificate.cert, agent: false, ...options });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
}

/** How many requests with a bad token this address may still send in this minute. */
async function left(localAddress: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const answer = await send("/api/v1/tilechat/groups", {
    localAddress,
    headers: { authorization: "bad", ...headers },
  });
  expect(answer.status).toBe(401);
  return Number(/\br=(\d+)/.exec(String(answer.headers["ratelimit"]))?.[1]);
}

describe.each([
  ["nginx", startNginx],
  ["Caddy", startCaddy],
])("behind %s, as the page shows it", (_name, startProxy) => {
  it("serves page, REST and MQTT, and knows the addresses of clients", async () => {
    await startProxy();
    await expect.poll(isOpen, { timeout: 30_000 }).toBe(true);
    const secret = readFileSync(join(server.dataDir, "jwt-secret"), "utf8").trim();
    const token = compatToken("alice", { secret });

    const page = await send("/");
    expect([page.status, page.text.includes('<div id="root">')]).toEqual([200, true]);
    const sent = await send("/api/v1/tilechat/conversations/bob/messages", {
      method: "POST",
      headers: { authorization: token, "content-type": "application/json" },
      body: JSON.stringify({ text: "x".repeat(90_000) }),
    });
    expect([sent.status, sent.text]).toEqual([201, expect.any(String)]);

    // Two clients have limits of their own, and a client cannot choose the address that counts.
    const first = await left("127.0.0.2");
    expect(await left("127.0.0.2", { "x-forwarded-for": "198.51.100.1" })).toBe(first - 1);
    expect(await left("127.0.0.3")).toBe(first);

    const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, "mqtt", {
      ...{ ca: testCertificate.cert, localAddress: "127.0.0.4" },
      headers: { "x-forwarded-for": "198.51.100.1" },
    });
    await once(socket, "open");
    socket.send(encodePackets(connectPacket({ clientId: "phone", password: Buffer.from(token) })));
    const [connack] = (await once(socket, "message")) as [Buffer];
    expect([...connack]).toEqual([0x20, 2, 0, 0]);
    expect(server.stdout).toMatch(/"address":"127\.0\.0\.4".*a session was opened/);
    socket.close();
    await once(socket, "close");
  });
});

it("starts as the systemd unit of the page starts it, and systemd finds no fault in the unit", async () => {
  const command = join(folder, "chat21");
  writeFileSync(command, `#!/bin/sh\n`, { mode: 0o755 });
  const unit = join(folder, "chat21.service");
  const snippet = documentedSnippet("ini");
  writeFileSync(unit, adaptUnit(snippet, command));

  await expect(runCommand("systemd-analyze", ["verify", "--man=no", unit])).resolves.toBeDefined();
  const [, arguments_ = ""] = /^ExecStart=\/usr\/bin\/chat21 (.*)$/m.exec(snippet) ?? [];
  const [, variables = ""] = /^Environment=(.*)$/m.exec(snippet) ?? [];
  const env = Object.fromEntries(variables.split(" ").map((pair) => pair.split("=") as [string, string]));
  expect(env["CHAT21_DATA_DIR"]).toBe("/var/lib/chat21");
  const started = await ServerProcess.start({
    command: arguments_,
    env: { ...env, CHAT21_DATA_DIR: newDataDir() },
  });
  started.signal("SIGHUP");
  await expect.poll(() => started.stdout).toContain("read again");
  expect((await started.stop()).code).toBe(0);
});

function adaptUnit(snippet: string, command: string): string {
  expect(snippet).toContain("/usr/bin/chat21");
  return snippet.replaceAll("/usr/bin/chat21", command);
}

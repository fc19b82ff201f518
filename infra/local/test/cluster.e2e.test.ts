import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compatToken, OldClient } from "@chat21/testkit";
import { requireMongo, requireRabbit } from "@chat21/testkit/services";
import { afterEach, describe, expect, it } from "vitest";
import { freePorts } from "../free-port.ts";
import { isAlive } from "../processes.ts";
import { databaseUri, testEnvironment } from "./start-cluster.ts";

const script = fileURLToPath(new URL("../cluster.ts", import.meta.url));
const folders: string[] = [];
let child: ChildProcess | undefined;
let printed = "";

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGTERM");
    await once(child, "close");
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function startCommand(env: Readonly<Record<string, string>>, ...args: string[]): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), "chat21-command-"));
  folders.push(folder);
  printed = "";
  child = spawn(process.execPath, [script, "--no-build", "--folder", folder, ...args], {
    env: testEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  return child;
}

/** Finds the processes of the cluster: they are children of `pid`. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const ps = spawn("ps", ["-o", "pid=", "--ppid", String(pid)], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  ps.stdout.setEncoding("utf8").on("data", (some: string) => {
    text += some;
  });
  await once(ps, "close");
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

/** The two kinds of cluster that `pnpm cluster` starts, and where a client connects. */
const clusters = [
  {
    what: "two nodes",
    args: [],
    processes: 2,
    url: () => /^ {4}MQTT over WebSocket +(\S+)$/m.exec(printed.slice(printed.indexOf("node-2:")))?.[1],
    last: /metrics of node-2 +http/,
  },
  {
    what: "observers on RabbitMQ's plugin, with --observers",
    args: ["--observers", "2"],
    processes: 4,
    url: () => /^ {2}MQTT over WebSocket +(\S+)$/m.exec(printed)?.[1],
    last: /metrics of observer-2 +http/,
  },
  {
    what: "both in one app, with --nodes and --observers",
    args: ["--nodes", "1", "--observers", "1"],
    processes: 4,
    url: () => /^ {2}MQTT over WebSocket +(\S+)$/m.exec(printed)?.[1],
    last: /metrics of observer-1 +http/,
  },
] as const;

describe("pnpm cluster", () => {
  it.each(clusters)(
    "starts $what on given services, restarts what dies, and stops all of it",
    async (wanted) => {
      const [rabbit, mongo] = await Promise.all([requireRabbit(), requireMongo()]);
      const [port = 0] = await freePorts(1);
      const secret = rabbit.jwtSecret ?? "";
      const command = await startCommand(
        {
          RABBITMQ_URI: rabbit.uri,
          RABBITMQ_WEB_MQTT_URI: rabbit.webMqttUri ?? "",
          MONGODB_URI: databaseUri(mongo.uri, mongo.database),
          JWT_KEY: secret,
        },
        ...["--http-port", String(port), ...wanted.args],
      );
      await expect.poll(() => printed, { timeout: 60_000 }).toContain("The cluster is ready");
      const pids = await childrenOf(command.pid);

      const url = wanted.url() ?? "";
      const a = await OldClient.connect({ url, user: "a", token: compatToken("a", { secret }) });
      await a.send("a", { text: "hi" });
      const { payload } = await a.nextMessage("a");
      await a.cut();
      process.kill(pids[0] ?? 0, "SIGKILL");
      await expect.poll(() => printed).toMatch(/ended \(SIGKILL\); its last lines:/);
      await expect.poll(() => printed, { timeout: 60_000 }).toMatch(/is ready again \(process \d+\)/);
      const later = await childrenOf(command.pid);
      command.kill("SIGINT");
      const [code] = await once(command, "close");

      expect(payload.text).toBe("hi");
      expect(printed).toContain(`http://127.0.0.1:${port}/api`);
      expect(printed).toMatch(wanted.last);
      expect(pids).toHaveLength(wanted.processes);
      expect(later).toHaveLength(wanted.processes);
      expect(code).toBe(0);
      expect(later.filter(isAlive)).toEqual([]);
    },
  );

  it("reports an invalid option in one line", async () => {
    const wrong = await startCommand({}, "--observers", "none");
    const [wrongCode] = await once(wrong, "close");
    const wrongText = printed;
    const secretless = await startCommand(
      { RABBITMQ_URI: "amqp://127.0.0.1:1", MONGODB_URI: "mongodb://127.0.0.1:1" },
      ...["--observers", "1"],
    );
    const [secretlessCode] = await once(secretless, "close");

    expect([wrongCode, wrongText]).toEqual([
      1,
      "pnpm cluster: --observers: expected a number, 1 to 64, got none\n",
    ]);
    expect(secretlessCode).toBe(1);
    expect(printed).toMatch(/pnpm cluster: RABBITMQ_URI is given: set JWT_KEY to the secret .*\n$/);
  });
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newDataDir, removeDataDirs, runChat21, ServerProcess } from "./server-process.ts";

const page = readFileSync(new URL("../../../docs/wire.md", import.meta.url), "utf8");
const [, section = ""] = page.split("\n## Raw MQTT from Python\n");
const blockOf = (language: string) =>
  new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "m").exec(section)?.[1];

let folder: string;
let python: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chat21-python-"));
  python = join(folder, "venv/bin/python3");
  const [, requirement = ""] = /pip install "([^"]+)"/.exec(section) ?? [];
  run("python3", ["-m", "venv", join(folder, "venv")]);
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]);
  server = await ServerProcess.start({ dataDir: newDataDir() });
});
afterAll(async () => {
  await server?.stop();
  removeDataDirs();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command to its end. Throws what it said when it fails. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 90_000,
  });
  if (error !== undefined) throw new Error(`this test needs ${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}

it("the Python program of docs/wire.md sends, gets its own copy and marks it, as it stands there", async () => {
  const [program, shown, shell] = [blockOf("python"), blockOf("text"), blockOf("sh")];
  const [, tokenCommand = ""] = /\$\(chat21 ([^)]+)\)/.exec(shell ?? "") ?? [];
  writeFileSync(join(folder, "chat.py"), program ?? "");
  const token = await runChat21([...tokenCommand.split(" "), "--data-dir", server.dataDir]);

  const output = run(python, [join(folder, "chat.py")], {
    CHAT21_TOKEN: token.stdout.trim(),
    CHAT21_MQTT_PORT: new URL(server.mqttUrl).port,
  });

  expect(output).toBe(shown);
  const stored = await fetch(`${server.url}/api/v1/tilechat/conversations`, {
    headers: { authorization: `Bearer ${token.stdout.trim()}` },
  });
  expect(await stored.json()).toMatchObject({
    conversations: [{ conversWith: "bob", head: 1, read: 1, conversation: { text: "Hello from Python" } }],
  });
});

it("Paho's client of MQTT 5 is told what the server can do, why a publish is refused, and why it is closed", async () => {
  const token = await runChat21([
    "token",
    "alice",
    "--client-id",
    "alice-python",
    "--data-dir",
    server.dataDir,
  ]);

  const output = run(python, [fileURLToPath(new URL("mqtt-5.py", import.meta.url))], {
    CHAT21_TOKEN: token.stdout.trim(),
    CHAT21_MQTT_PORT: new URL(server.mqttUrl).port,
  });

  const lines = output.trim().split("\n");
  // A message and the acknowledgement of its publish are two things; which comes first is open.
  expect(lines.filter((line) => !line.includes(": got "))).toEqual([
    "first: Success, session False, expiry 0",
    "first: aliases 16, retained 0",
    "first: subscribed Granted QoS 1, Not authorized",
    "first: good Success",
    "first: alias Success",
    "first: bad Implementation specific error bad_request",
    "first: ended Session taken over",
    "second: Success, session False, expiry 0",
    "second: aliases 16, retained 0",
    "second: subscribed Granted QoS 1, Not authorized",
    "second: ended Normal disconnection",
  ]);
  expect(lines.filter((line) => line.includes(": got "))).toEqual(["first: got one", "first: got two"]);
});

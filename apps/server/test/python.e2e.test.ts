import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newDataDir, removeDataDirs, runChat21, ServerProcess } from "./server-process.ts";

const page = readFileSync(new URL("../../../docs/wire.md", import.meta.url), "utf8");
const [, section = ""] = page.split("\n## Raw MQTT from Python\n");
const blockOf = (language: string) =>
  new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "m").exec(section)?.[1];

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chat21-python-"));
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
  const [, requirement = ""] = /pip install "([^"]+)"/.exec(section) ?? [];
  const [, tokenCommand = ""] = /\$\(chat21 ([^)]+)\)/.exec(shell ?? "") ?? [];
  const python = join(folder, "venv/bin/python3");
  writeFileSync(join(folder, "chat.py"), program ?? "");
  run("python3", ["-m", "venv", join(folder, "venv")]);
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]);
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

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newDataDir, removeDataDirs, runChat21, ServerProcess } from "./server-process.ts";

let folder: string;
let server: ServerProcess;

/** Settings of the run. What a schema cannot say is not asked of these operations: their valid requests may be refused. */
const config = `
[parameters]
app = "tilechat"

# A cursor is opaque: only one that the server has made is valid.
[[operations]]
include-operation-id = ["sync", "listConversationStates"]
checks.positive_data_acceptance.enabled = false

# A group's id contains "group-".
[[operations]]
include-operation-id = ["postGroup"]
checks.positive_data_acceptance.enabled = false

# Ids have bounds together, too: a routing key has 255 bytes.
[[operations]]
include-operation-id = ["postMessage", "putGroupMember"]
checks.positive_data_acceptance.enabled = false
`;

/** Runs a command to its end, beside the server and not before it. */
async function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chat21-schemathesis-"));
  writeFileSync(join(folder, "schemathesis.toml"), config);
  server = await ServerProcess.start({
    dataDir: newDataDir(),
    // It asks faster than people, and often without a token: no answer may be "wait".
    env: { CHAT21_REQUESTS_PER_MINUTE: "1000000", CHAT21_AUTH_FAILURES_PER_MINUTE: "1000000" },
  });
  const made = await run("python3", ["-m", "venv", "venv"]);
  expect(made.code, `this test needs python3 with venv: ${made.output}`).toBe(0);
  const installed = await run(join(folder, "venv/bin/pip"), ["install", "--quiet", "schemathesis==4.32.5"]);
  expect(installed.code, installed.output).toBe(0);
}, 400_000);
afterAll(async () => {
  await server?.stop("SIGKILL");
  removeDataDirs();
  rmSync(folder, { recursive: true, force: true });
});

describe("Schemathesis finds nothing between the OpenAPI document and the server", () => {
  const callers = {
    "an admin": ["token", "st-admin", "--admin", "--profile", "compat", "--ttl", "1d"],
    "a user": ["token", "alice", "--profile", "compat", "--ttl", "1d"],
    "nobody's token": null,
  } as const;

  it.each(Object.entries(callers))("with %s", { timeout: 400_000 }, async (_name, command) => {
    const token = command === null ? null : await runChat21([...command, "--data-dir", server.dataDir]);
    const authorization = token === null ? [] : ["-H", `Authorization: Bearer ${token.stdout.trim()}`];

    const { code, output } = await run(join(folder, "venv/bin/schemathesis"), [
      "run",
      `${server.url}/api/v1/openapi.json`,
      ...authorization,
      ...["--include-path-regex", "^/api/v1/"],
      // Its own token would be revoked; development sign-in is for pages of this server.
      ...["--exclude-path-regex", "revoke|signin"],
      ...["--phases", "examples,coverage", "--max-examples", "5", "--generation-deterministic"],
      // A busy machine is slow; that is no fault of an answer.
      ...["--continue-on-failure", "--no-color", "--request-timeout", "60"],
    ]);

    expect(output).toMatch(/Tested: \d\d/);
    expect(code, output.slice(-8_000)).toBe(0);
  });
});

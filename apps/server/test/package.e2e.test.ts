import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newDataDir, removeDataDirs, runChat21, ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
const packageFolder = fileURLToPath(new URL("..", import.meta.url));
let folder: string;
let script: string;
let installed: string;

/** pnpm as it runs these tests, or else the one the project asks for. */
async function pnpm(...args: string[]): Promise<void> {
  const own = process.env["npm_execpath"];
  if (own?.includes("pnpm") === true) {
    const [command, ...before] = /\.c?js$/.test(own) ? [process.execPath, own] : [own];
    await run(command as string, [...before, ...args], { cwd: packageFolder });
  } else await run("npx", ["-y", "pnpm@12", ...args], { cwd: packageFolder });
}

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "chat21-package-")));
  await pnpm("pack", "--pack-destination", folder);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const home = join(folder, "somewhere");
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), '{"private":true}');
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, tarball as string)];
  await run("npm", install, { cwd: home });
  installed = join(home, "node_modules/@chat21/server");
  script = join(home, "node_modules/.bin/chat21");
}, 300_000);

afterAll(() => {
  removeDataDirs();
  rmSync(folder, { recursive: true, force: true });
});

describe("the package from its tarball, in a folder with nothing else", () => {
  it("holds the program, the web page and the database's worker, and neither sources nor tests", () => {
    const files = readdirSync(installed, { recursive: true, encoding: "utf8" });

    expect(files).toEqual(
      expect.arrayContaining(["dist/cli.js", "dist/sqlite-worker.js", "dist/web/index.html"]),
    );
    expect(files.filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts"))).toEqual([]);
    expect(files.filter((file) => file.startsWith("test"))).toEqual([]);
  });

  it("imports nothing that it does not depend on", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    const imported = new Set<string>();
    for (const file of readdirSync(join(installed, "dist")).filter((name) => name.endsWith(".js"))) {
      const text = readFileSync(join(installed, "dist", file), "utf8");
      // Static, for its effects alone, and on demand.
      for (const form of [
        /^(?:import|export)\b[^"'`;]*?\bfrom ["']([^"']+)["']/gm,
        /^import ["']([^"']+)["']/gm,
        /\bimport\(["']([^"']+)["']\)/g,
      ]) {
        for (const [, name = ""] of text.matchAll(form)) imported.add(name);
      }
    }
    const packages = [...imported]
      .filter((name) => !name.startsWith(".") && !isBuiltin(name))
      .map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      );

    expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith("@chat21/"))).toEqual([]);
    expect([...new Set(packages)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it("starts, makes tokens, sends and shows messages", async () => {
    const server = await ServerProcess.start({ script });
    const data = ["--data-dir", server.dataDir];

    const page = await fetch(`${server.url}/`);
    const token = (await runChat21(["token", "alice", ...data], { script })).stdout.trim();
    const sent = await runChat21(["send", "alice", "from", "the", "tarball", "--as", "bob", ...data], {
      script,
    });
    const history = await fetch(`${server.url}/api/tilechat/alice/conversations/bob/messages`, {
      headers: { authorization: token },
    });
    const stopped = await server.stop();

    expect(page.status).toBe(200);
    expect(sent).toMatchObject({ code: 0, stderr: "" });
    expect(((await history.json()) as { result: unknown }).result).toMatchObject([
      { text: "from the tarball", seq: 1 },
    ]);
    expect(stopped.code).toBe(0);
  });

  it("starts without a command", async () => {
    const server = await ServerProcess.start({ script, args: [], command: null });

    const stopped = await server.stop();

    expect(stopped.code).toBe(0);
  });

  it("says its version and its help", async () => {
    const dataDir = newDataDir();
    const version = await runChat21(["--version"], { script });
    const help = await runChat21(["help"], { script });
    const none = await runChat21(["token", "alice", "--data-dir", dataDir], { script });

    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
    expect(help.stdout).toContain("Usage: chat21");
    expect(none).toMatchObject({ code: 1, stdout: "" });
  });
});

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const sdk = fileURLToPath(new URL("..", import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Uses values, types and the further entries; the marked line must be refused, or the types are `any`. */
const program = `
import { ChatError, connect, type ConnectOptions } from "@chat21/client-sdk";
import { eventStream } from "@chat21/client-sdk/event-stream";
import { fileStorage } from "@chat21/client-sdk/node";

export const options: ConnectOptions = { url: "http://127.0.0.1:8010", token: "t", fallback: eventStream };
export const error: ChatError = new ChatError("not_found");
export const storage = fileStorage;
export const start: () => Promise<{ readonly status: string }> = () => connect(options);
// @ts-expect-error there is no such option
export const wrong: ConnectOptions = { url: "", token: "", nonsense: 1 };
`;

/** An app outside the workspace, with the built package installed. */
async function app(kind: "commonjs" | "module", compilerOptions: object): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "chat21-consumer-"));
  folders.push(folder);
  await mkdir(join(folder, "node_modules/@chat21"), { recursive: true });
  symlinkSync(sdk, join(folder, "node_modules/@chat21/client-sdk"));
  const options = { strict: true, skipLibCheck: true, outDir: "out", types: [], lib: ["es2023", "dom"] };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: kind }));
  writeFileSync(join(folder, "main.ts"), program);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...options, ...compilerOptions }, files: ["main.ts"] }),
  );
  return folder;
}

describe("the built package has types for an app with", () => {
  it.each([
    ["bundler resolution", "module", { module: "esnext", moduleResolution: "bundler" }],
    ["ES modules of Node 16", "module", { module: "node16" }],
    ["ES modules of today's Node", "module", { module: "nodenext" }],
    ["CommonJS of Node 16", "commonjs", { module: "node16" }],
    ["CommonJS of today's Node", "commonjs", { module: "nodenext" }],
    [
      "CommonJS and the resolution of Node 10",
      "commonjs",
      { module: "commonjs", moduleResolution: "node10", ignoreDeprecations: "6.0" },
    ],
  ] as const)("%s", async (_name, kind, compilerOptions) => {
    const folder = await app(kind, compilerOptions);

    const compiled = await run(process.execPath, [tsc, "-p", folder]).catch(
      (error: { stdout: string }) => error,
    );

    expect(compiled.stdout).toBe("");
    if (compilerOptions.module !== "esnext") {
      // What was compiled also runs, with the same class on both ways.
      // One after the other: Node refuses to load a module in both ways at the same moment.
      const script =
        'import("./out/main.js").then(async (app) => console.log(' +
        '(app.error ?? app.default.error) instanceof (await import("@chat21/client-sdk")).ChatError))';
      const { stdout } = await run(process.execPath, ["-e", script], { cwd: folder });
      expect(stdout).toBe("true\n");
    }
  });
});

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

/** From here the examples can import all packages. */
const folder = fileURLToPath(new URL("../node_modules/.cache/readme-examples", import.meta.url));

it.each(["engine", "protocol"])(
  "The example in the README of %s runs, and prints what stands below it",
  async (name) => {
    const readme = readFileSync(new URL(`../../../packages/${name}/README.md`, import.meta.url), "utf8");
    const [, example = "", output] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
    const file = join(folder, `${name}.mjs`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, example);

    const { stdout } = await run(process.execPath, ["--conditions=@chat21/source", file]);

    expect(stdout).toBe(output);
  },
  60_000,
);

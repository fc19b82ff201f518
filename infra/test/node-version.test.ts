import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

const read = (name: string) => parse(readFileSync(new URL(`../../${name}`, import.meta.url), "utf8"));

test("packages are checked against the Node that runs them, so that an older one that starts pnpm warns of nothing", () => {
  const { nodeVersion } = read("pnpm-workspace.yaml");
  const { importers } = read("pnpm-lock.yaml");

  expect(nodeVersion).toBe(importers["."].devDependencies.node.version);
});

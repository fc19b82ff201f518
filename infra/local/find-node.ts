import { constants } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { canAccess } from "./can-access.ts";
import { runCommand } from "./run-command.ts";

/** Returns the path of this version of Node, from its npm package, which is kept in the cache folder. */
export async function findNode(version: string): Promise<string> {
  const folder = join(cacheFolder(), `node-${version}`);
  const program = join(folder, "node_modules/node/bin/node");
  if (!(await canAccess(program, constants.X_OK))) {
    const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", `node@${version}`];
    await runCommand("npm", args, { timeoutMs: 300_000 });
  }
  return program;
}

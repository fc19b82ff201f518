import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { AttackName, Site } from "./attacks.ts";

/** An attack under way. */
export interface Attacking {
  /** Ends it. Resolves with how often it has tried. */
  end(): Promise<number>;
}

/** Starts an attack in a process of its own, so that it takes no time from those who measure. */
export function startAttack(name: AttackName, site: Site): Attacking {
  const script = fileURLToPath(new URL("attacker.ts", import.meta.url));
  const child = spawn(process.execPath, [script, name, JSON.stringify(site)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said = text(child.stdout);
  const ended = once(child, "exit");
  return {
    async end() {
      child.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`the attack ${name} ended with ${code}`);
      return Number(await said);
    },
  };
}

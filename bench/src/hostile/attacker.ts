/** A process of its own that attacks until its input ends, and then writes how often it has tried. */
import { once } from "node:events";
import { type AttackName, attacks, type Site } from "./attacks.ts";

const [name, site] = process.argv.slice(2) as [AttackName, string];
const stop = new AbortController();
const tried = attacks[name](JSON.parse(site) as Site, stop.signal).catch((thrown: unknown) => {
  if (!stop.signal.aborted) throw thrown;
  return 0;
});
await once(process.stdin.resume(), "end");
stop.abort();
process.stdout.write(`${await tried}\n`, () => process.exit(0));

/** `pnpm proof:hostile`: every attack for 20 s, and whether the bystanders noticed. `--seconds 5 --attack presence` for less. */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type AttackName, attacks } from "./attacks.ts";
import { type HostileResult, runHostileScenario } from "./hostile-scenario.ts";

const mostGrownBytes = 200 * 2 ** 20;
/** A quiet server answers in less than the noise of two busy cores. */
const leastQuietMs = 5;

const { values } = parseArgs({
  options: { attack: { type: "string" }, seconds: { type: "string", default: "20" } },
});
const chosen = values.attack === undefined ? Object.keys(attacks) : [values.attack];
const attackMs = Number(values.seconds) * 1_000;

const faultsOf = ({ attacked, quiet, grownBytes, refusals }: HostileResult): string[] => [
  ...(attacked.totals.lost > 0 ? [`${attacked.totals.lost} messages of bystanders were lost`] : []),
  ...(attacked.dropped > 0 ? [`${attacked.dropped} bystanders were thrown out`] : []),
  ...(attacked.p99Ms > 3 * Math.max(quiet.p99Ms, leastQuietMs)
    ? ["their p99 is over 3 times the quiet one"]
    : []),
  ...(grownBytes > mostGrownBytes ? ["the server keeps over 200 MiB"] : []),
  ...(refusals === 0 ? ["the attack met no limit"] : []),
];

let isProven = true;
for (const name of chosen) {
  if (!Object.hasOwn(attacks, name))
    throw new Error(`there is no attack ${name}: ${Object.keys(attacks).join(", ")}`);
  const result = await runHostileScenario(name as AttackName, { quietMs: attackMs / 2, attackMs }, tmpdir());
  const { quiet, attacked, tried, refusals, grownBytes } = result;
  const faults = faultsOf(result);
  isProven &&= faults.length === 0;
  process.stdout.write(
    `${faults.length === 0 ? "ok  " : "FAIL"} ${name}: p99 ${quiet.p99Ms.toFixed(1)} -> ${attacked.p99Ms.toFixed(1)} ms, ` +
      `${attacked.totals.sent} sent, ${attacked.totals.lost} lost, ${attacked.totals.reordered} reordered, ` +
      `${tried} tried, ${refusals} limited, ${(grownBytes / 2 ** 20).toFixed(0)} MiB more\n` +
      faults.map((fault) => `     ${fault}\n`).join(""),
  );
}
process.exitCode = isProven ? 0 : 1;

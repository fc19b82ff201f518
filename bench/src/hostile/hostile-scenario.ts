import { issueToken } from "../load/token.ts";
import { readResidentBytes } from "../measure/process-memory.ts";
import { type StartedChat21Target, startChat21Target } from "../targets/started-chat21-target.ts";
import { app } from "../targets/target.ts";
import { startAttack } from "./attacking.ts";
import { type AttackName, attacker } from "./attacks.ts";
import { bystander, bystanders, type Witness, watchBystanders } from "./bystanders.ts";

/** Result of a {@link runHostileScenario}. */
export interface HostileResult {
  readonly attack: AttackName;
  readonly quiet: Witness;
  readonly attacked: Witness;
  /** How often the attacker has tried. */
  readonly tried: number;
  /** Events that the server counted as refused, made to wait, or cut off, by metric. */
  readonly refusals: number;
  /** Resident memory that the attack has left, bytes. */
  readonly grownBytes: number;
}

/** How long each part lasts. */
export interface HostileTimes {
  readonly quietMs: number;
  readonly attackMs: number;
}

/**
 * Starts a server as an operator would, with its limits, lets bystanders talk in quiet, and then again while one user attacks
 * at full speed.
 */
export async function runHostileScenario(
  attack: AttackName,
  { quietMs, attackMs }: HostileTimes,
  parentFolder: string,
): Promise<HostileResult> {
  const target = await startChat21Target({ carrier: "tcp", parentFolder, rateLimits: true });
  try {
    await acquaint(target);
    const quiet = await watchBystanders(target, quietMs);
    const beforeBytes = readResidentBytes(...target.pids);
    const { url, secret } = target;
    const under = startAttack(attack, { url, secret, victim: bystander(0) });
    const attacked = await watchBystanders(target, attackMs);
    const tried = await under.end();
    const refusals = await countRefusals(target.apiUrl);
    const grownBytes = readResidentBytes(...target.pids) - beforeBytes;
    return { attack, quiet, attacked, tried, refusals, grownBytes };
  } finally {
    await target.close();
  }
}

/** Every bystander has written to the attacker, and hears of its coming and going. */
async function acquaint({ apiUrl, secret }: StartedChat21Target): Promise<void> {
  const authorization = issueToken(secret, app, "bench-admin", { role: "admin" });
  for (const sender of bystanders) {
    const response = await fetch(`${apiUrl}/${app}/messages`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({
        ...{ sender_id: sender, sender_fullname: sender, text: "hello" },
        ...{ recipient_id: attacker, recipient_fullname: attacker },
      }),
    });
    if (!response.ok) throw new Error(`a message of ${sender} was answered with ${response.status}`);
  }
}

async function countRefusals(apiUrl: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", apiUrl))).text();
  const counted =
    /^chat21_(?:rate_limited_total|connects_refused_total|refused_total|sessions_closed_total\{reason="slow_consumer")[^ ]* (\d+)$/gm;
  return [...text.matchAll(counted)].reduce((sum, [, value]) => sum + Number(value), 0);
}

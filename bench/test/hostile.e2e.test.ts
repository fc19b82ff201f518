import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { type AttackName, attacks } from "../src/hostile/attacks.ts";
import { runHostileScenario } from "../src/hostile/hostile-scenario.ts";

const mebibyte = 2 ** 20;

describe("While one user attacks at full speed", () => {
  it.each(Object.keys(attacks) as AttackName[])(
    "with %s, bystanders lose nothing, the attack meets a limit, and memory stays bounded",
    async (attack) => {
      const times = { quietMs: 500, attackMs: 3_000 };

      const { attacked, refusals, grownBytes } = await runHostileScenario(attack, times, tmpdir());

      expect(attacked.totals).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 });
      expect(attacked.totals.acknowledged).toBe(attacked.totals.sent);
      expect(attacked.dropped).toBe(0);
      expect(refusals).toBeGreaterThan(0);
      expect(grownBytes).toBeLessThan(200 * mebibyte);
    },
  );
});

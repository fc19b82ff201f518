import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const run = promisify(execFile);

async function bench(...options: string[]): Promise<Record<string, number>> {
  const { stdout } = await run(process.execPath, [main, ...options, "--seconds", "1", "--warmup", "0.2"]);
  return JSON.parse(stdout);
}

const nothingWrong = { lost: 0, duplicated: 0, reordered: 0, dropped: 0 };

describe("the bench", () => {
  describe.each(["bare", "edge", "chat21"])("against %s", (target) => {
    it.each(["tcp", "ws"])("drives pairs over %s and loses nothing", async (carrier) => {
      const result = await bench("--target", target, "--carrier", carrier, "--pairs", "3", "--window", "4");

      expect(result).toMatchObject({ ...nothingWrong, scenario: "pairs", target, sent: result["delivered"] });
      expect(result["acknowledged"]).toBe(result["sent"]);
      expect(result["messagesPerSecond"]).toBeGreaterThan(0);
      expect(result["p99Ms"]).toBeGreaterThan(0);
      expect(result["mainThreadCpuSecondsPer1000"]).toBeGreaterThan(0);
    });

    it("keeps a rate", async () => {
      const result = await bench("--target", target, "--scenario", "open", "--rate", "100", "--pairs", "2");

      expect(result).toMatchObject(nothingWrong);
      expect(result["sent"]).toBeGreaterThan(100);
    });

    it("serves a group", async () => {
      const options = ["--scenario", "group", "--members", "5", "--senders", "2"];
      const result = await bench("--target", target, ...options);

      expect(result).toMatchObject({ ...nothingWrong, sent: result["delivered"] });
      expect(result["sent"]).toBeGreaterThan(0);
    });

    it("weighs idle connections", async () => {
      const result = await bench("--target", target, "--scenario", "idle", "--connections", "200");

      expect(result).toMatchObject({ connections: 200, dropped: 0 });
      expect(result["kibPerConnection"]).toBeGreaterThan(0);
      expect(result).toHaveProperty("kibPerFurtherConnection", expect.any(Number));
    });
  });

  it("starts a server of its own and says how long that took", async () => {
    const result = await bench("--target", "chat21", "--pairs", "2", "--window", "2");

    expect(result["readyMs"]).toBeGreaterThan(0);
    expect(result["residentMiB"]).toBeGreaterThan(0);
  });

  it("compares an empty store with a full one, in which the load goes on where the history ends", async () => {
    const result = await bench("--scenario", "stored", "--messages", "5000", "--repeat", "2", "--pairs", "2");

    expect(result).toMatchObject({ messages: 5_000, lost: 0, duplicated: 0, reordered: 0 });
    expect(result["repetitions"]).toHaveLength(2);
    expect(result["rateRatio"]).toBeGreaterThan(0);
    expect(result["cpuRatio"]).toBeGreaterThan(0);
  });

  it.each([
    [["--scenario", "nothing"], "--scenario: there is no nothing"],
    [["--target", "nothing"], "--target: there is no nothing"],
    [["--pairs", "many"], "--pairs: expected a number, got many"],
  ])("refuses %j in one line", async (options, reason) => {
    const refused = await bench(...options).catch((error) => error);

    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toBe(`bench: ${reason}
`);
  });
});

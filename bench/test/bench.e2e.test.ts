import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { littleReading, readingFigures } from "./reading-figures.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const checkout = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

const short = ["--seconds", "1", "--warmup", "0.2"];

async function bench(...options: string[]): Promise<Record<string, number>> {
  const { stdout } = await run(process.execPath, [main, ...options, ...short]);
  return JSON.parse(stdout);
}

async function lines(...options: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await run(process.execPath, [main, ...options]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
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

  it("reads whole answers, whatever the part, the path and the form", async () => {
    const figures = await lines("--scenario", "reading", "--target", "chat21", ...littleReading);

    expect(figures.map(({ part, api, form, when }) => `${part} ${api} ${form} ${when}`)).toEqual(
      readingFigures,
    );
    expect(figures.filter(({ missing }) => missing !== 0)).toEqual([]);
    for (const figure of figures) expect(figure["p95Ms"]).toBeGreaterThan(0);
    for (const figure of figures.filter(({ part }) => part === "list-heavy")) {
      expect(figure).toMatchObject({ readers: 8, measured: 8, peakGrowthMiB: expect.any(Number) });
    }
  });

  it("drives two checkouts in turns and compares them", async () => {
    const options = ["--target", "chat21", "--against", checkout, "--repeat", "2", "--pairs", "2"];
    const { stdout } = await run(process.execPath, [main, ...options, ...short]);

    expect([...stdout.matchAll(/"side":"(\w+)"/g)].map(([, side]) => side)).toEqual([
      "old",
      "new",
      "new",
      "old",
    ]);
    expect(stdout).toMatch(/^\| pairs \| msg\/s \| \d+ \| \d+ \| \d/m);
  });

  it.each([
    [["--scenario", "nothing"], "--scenario: there is no nothing"],
    [["--target", "nothing"], "--target: there is no nothing"],
    [["--pairs", "many"], "--pairs: expected a number, got many"],
    [["--scenario", "reading"], "--scenario reading: expected --target chat21 or cluster, got bare"],
    [
      ["--against", "."],
      "--against: expected --target chat21 or cluster or cluster-no-events or nodes or nodes-no-events, got bare",
    ],
    [
      ["--against", ".", "--target", "chat21", "--scenario", "stored"],
      "--against: there is no comparison of stored",
    ],
  ])("refuses %j in one line", async (options, reason) => {
    const refused = await bench(...options).catch((error) => error);

    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toBe(`bench: ${reason}
`);
  });
});

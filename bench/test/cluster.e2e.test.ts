import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processesWith } from "../../infra/local/processes.ts";
import { littleReading, readingFigures } from "./reading-figures.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const run = promisify(execFile);

/** It takes 105 s on a quiet machine. */
const slow = { timeout: 400_000 };

/** Where the services of a run have their data. */
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat21-bench-test-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function bench(...options: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [main, ...options, "--data-dir", folder]);
  return JSON.parse(stdout);
}

const isLog = (path: string) => path.endsWith("rabbitmq.log");

const short = ["--seconds", "1", "--warmup", "0.5"];
const small = ["--scenario", "group", "--members", "4", "--senders", "2", "--window", "2", ...short];
const nothingWrong = { lost: 0, duplicated: 0, reordered: 0, dropped: 0 };

describe("the bench on RabbitMQ", () => {
  it.each([
    ["rabbit-bare", "tcp", ["rabbitmq"]],
    ["relay", "ws", ["rabbitmq"]],
    ["cluster", "ws", ["mongod", "rabbitmq"]],
  ])("serves a group on %s over %s, and takes its services down", async (target, carrier, peers) => {
    const result = await bench("--target", target, "--carrier", carrier, ...small);

    expect(result).toMatchObject({ ...nothingWrong, target, sent: result["delivered"] });
    expect(result["carrier"]).toBe(carrier === "tcp" ? "mqtt" : "ws");
    expect(result["acknowledged"]).toBe(result["sent"]);
    expect(result["messagesPerSecond"]).toBeGreaterThan(0);
    expect(Object.keys(result["peerCpuSecondsPer1000"] as object).sort()).toEqual(peers);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("measures the relay's own processor time", async () => {
    const result = await bench("--target", "relay", "--pairs", "3", "--window", "4", ...short);

    expect(result).toMatchObject({ ...nothingWrong, sent: result["delivered"] });
    expect(result["cpuSecondsPer1000"]).toBeGreaterThan(0);
  });

  it("reads whole answers of the HTTP API over MongoDB, and takes its services down", slow, async () => {
    const options = ["--scenario", "reading", "--target", "cluster", ...littleReading];
    const { stdout } = await run(process.execPath, [main, ...options, "--data-dir", folder]);
    const figures: Record<string, unknown>[] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));

    expect(figures.map(({ part, api, form, when }) => `${part} ${api} ${form} ${when}`)).toEqual(
      readingFigures,
    );
    expect(figures.filter(({ missing }) => missing !== 0)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("kills one of two observers under load and finds every message once and in order", async () => {
    const load = ["--scenario", "failover", "--fault", "kill", "--pairs", "16", "--rate", "80"];
    const result = await bench(...load);

    expect(result).toMatchObject({ ...nothingWrong, fault: "kill", client: "sdk", gapAfterReturnMs: null });
    expect(result["sent"]).toBeGreaterThan(800);
    expect(result["delivered"]).toBe(result["sent"]);
    // Half of the pairs had to wait for a lease to run out.
    expect(result["gapMs"]).toBeGreaterThan(1_000);
    expect(result["gapMs"]).toBeLessThan(6_000);
  });

  it("takes its services down when it is interrupted", async () => {
    const bench = run(process.execPath, [main, "--target", "relay", "--seconds", "60", "--data-dir", folder]);
    // In the middle of the broker's start.
    await expect
      .poll(() => readdirSync(folder, { recursive: true }).some((path) => isLog(String(path))))
      .toBe(true);
    bench.child.kill("SIGINT");

    await expect(bench).rejects.toMatchObject({ code: 130 });
    expect(readdirSync(folder)).toEqual([]);
    expect(processesWith(folder)).toEqual([]);
  });
});

import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { testCertificate } from "@chat21/testkit";
import { type RequiredRabbit, requireMongo, requireRabbit } from "@chat21/testkit/services";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { freePorts } from "../free-port.ts";
import { type MongoService, startMongo, stopMongo } from "../start-mongo.ts";
import { type Program, type Running, runProgram } from "./run-program.ts";
import { databaseUri } from "./start-cluster.ts";

const programs = ["observer", "http-api", "webhooks"] as const satisfies readonly Program[];
const secret = "0123456789abcdefghijklmnopqrstuv";

let rabbit: RequiredRabbit;
beforeAll(async () => {
  rabbit = await requireRabbit();
});

/** Makes the variables that every program needs, with a new database. */
async function settings(more: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const { uri, database } = await requireMongo();
  return settingsOn(databaseUri(uri, database), more);
}

function settingsOn(mongoUri: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    ...{ RABBITMQ_URI: rabbit.uri, MONGODB_URI: mongoUri, JWT_KEY: secret },
    ...{ CHAT21_HOST: "127.0.0.1", CHAT21_HTTP_PORT: "0", METRICS_PORT: "0", LOG_LEVEL: "INFO" },
    ...more,
  };
}

/** Starts a program. It is stopped when the test ends. */
function run(program: Program, env: Readonly<Record<string, string>>): Running {
  const running = runProgram(program, env);
  onTestFinished(async () => {
    running.signal("SIGKILL");
    await running.ended;
  });
  return running;
}

async function urlOf(running: Running): Promise<string> {
  return new URL("/", String((await running.ready)["metricsUrl"])).href;
}

async function readiness(url: string): Promise<string> {
  const answer = await fetch(new URL("/readyz", url));
  return `${answer.status} ${((await answer.json()) as { reason: string }).reason}`;
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(new URL("/metrics", url))).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
}

describe.each(programs)("chat21-%s", (program) => {
  it("prints its version and its help, and names an unknown argument", async () => {
    const [help, version, unknown] = await Promise.all(
      [["--help"], ["--version"], ["--nonsense"]].map((args) => runProgram(program, {}, args).ended),
    );

    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help?.stdout).toContain(`chat21-${program} --version`);
    expect(help?.stdout).toContain("MONGODB_URI");
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown?.stderr).toMatch(/^chat21-.*--nonsense.*see --help\n$/);
  });

  it("ends with one line when a setting is missing or invalid", async () => {
    const given = settingsOn("mongodb://127.0.0.1:1/x");
    const [missing, wrong] = await Promise.all([
      runProgram(program).ended,
      runProgram(program, { ...given, MONGODB_URI: "localhost" }).ended,
    ]);

    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/^chat21-[a-z-]+: [A-Z0-9_]+( or [A-Z0-9_]+)?: missing; .*\n$/);
    expect(wrong.stderr).toBe(
      `chat21-${program}: MONGODB_URI: expected an address that begins with mongodb:// or mongodb+srv://\n`,
    );
  });

  it("waits for MongoDB, and ends with one line when it does not come in time", async () => {
    const [port = 0] = await freePorts(1);
    const uri = `mongodb://user:hush@127.0.0.1:${port}/x`;
    const began = performance.now();

    const { code, stdout, stderr } = await runProgram(
      program,
      settingsOn(uri, { CHAT21_START_TIMEOUT_SECONDS: "4" }),
    ).ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^chat21-${program}: MongoDB at 127.0.0.1:${port}: no connection within 4 s: .*; check MONGODB_URI\n$`,
      ),
    );
    expect(stdout).toContain(`waiting for MongoDB at 127.0.0.1:${port}`);
    expect(stdout + stderr).not.toContain("hush");
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it("serves until it is told to stop, and ends with exit code 0", async () => {
    const running = run(program, await settings());

    const before = await readiness(await urlOf(running));
    running.signal("SIGTERM");
    const { code, stdout, stderr } = await running.ended;

    expect(before).toBe("200 ok");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain('"msg":"stopped"');
    expect(stdout).not.toContain("cleanly");
  });

  it("says that it is alive and not ready while it waits, and ends at once when it is told to", async () => {
    const [port = 0, own = 0] = await freePorts(2);
    const ports = { CHAT21_HTTP_PORT: String(own), METRICS_PORT: String(own) };
    const running = run(program, settingsOn(`mongodb://127.0.0.1:${port}/x`, ports));
    await expect.poll(() => running.stdout()).toContain("waiting for MongoDB");

    const url = `http://127.0.0.1:${own}`;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await readiness(url)).toBe("503 starting");
    running.signal("SIGTERM");

    expect((await running.ended).code).toBe(0);
  });
});

describe.each(["observer", "http-api"] as const)("chat21-%s", (program) => {
  it("ends with one line that shows no password when the broker does not let it in", async () => {
    const uri = new URL(rabbit.uri);
    uri.password = "hush";

    const { code, stdout, stderr } = await runProgram(
      program,
      await settings({ RABBITMQ_URI: uri.href, CHAT21_START_TIMEOUT_SECONDS: "2" }),
    ).ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^chat21-${program}: RabbitMQ: .*; check RABBITMQ_URI\n$`));
    expect(stdout + stderr).not.toContain("hush");
  });
});

describe("chat21-http-api", () => {
  it("serves REST over TLS with a certificate", async () => {
    const { cert, key } = testCertificate;
    const env = await settings({ CHAT21_TLS_CERT: cert, CHAT21_TLS_KEY: key });
    const { apiUrl } = await run("http-api", env).ready;

    const status = await new Promise((resolve, reject) => {
      const url = new URL("/readyz", String(apiUrl));
      get(url, { ca: cert, servername: "localhost" }, (answer) => resolve(answer.resume().statusCode)).on(
        "error",
        reject,
      );
    });

    expect(apiUrl).toMatch(/^https:/);
    expect(status).toBe(200);
  });
});

describe("SIGHUP", () => {
  it.each(programs)("ends no chat21-%s", async (program) => {
    const running = run(program, await settings());
    const url = await urlOf(running);

    running.signal("SIGHUP");
    await vi.waitFor(() => expect(running.stdout()).toContain("there are no files to read again"), 5_000);

    expect(await readiness(url)).toMatch(/^200/);
  });

  it("gives chat21-http-api a new certificate and new keys", async () => {
    const folder = await mkdtemp(join(tmpdir(), "chat21-files-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const files = {
      cert: join(folder, "cert.pem"),
      key: join(folder, "key.pem"),
      keys: join(folder, "keys"),
    };
    const signing = () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
    const fixture = (name: string) =>
      readFile(new URL(`../../../apps/server/test/fixtures/${name}`, import.meta.url), "utf8");
    await mkdir(files.keys);
    await writeFile(join(files.keys, "2026-01.pem"), signing());
    await writeFile(files.cert, await fixture("cert.pem"));
    await writeFile(files.key, await fixture("key.pem"));
    const running = run(
      "http-api",
      await settings({
        CHAT21_TLS_CERT: files.cert,
        CHAT21_TLS_KEY: files.key,
        CHAT21_JWT_KEYS_DIR: files.keys,
      }),
    );
    const { apiUrl } = await running.ready;
    const jwks = () =>
      new Promise<{ readonly cert: string; readonly kids: readonly string[] }>((resolve, reject) => {
        const url = new URL("/.well-known/jwks.json", String(apiUrl));
        get(url, { rejectUnauthorized: false, agent: false }, async (answer) => {
          const cert = (answer.socket as TLSSocket).getPeerCertificate().fingerprint256;
          const { keys } = JSON.parse(Buffer.concat(await answer.toArray()).toString());
          resolve({ cert, kids: keys.map(({ kid }: { readonly kid: string }) => kid) });
        }).on("error", reject);
      });
    const before = await jwks();

    await writeFile(files.cert, testCertificate.cert);
    await writeFile(files.key, testCertificate.key);
    await writeFile(join(files.keys, "2026-09.pem"), signing());
    running.signal("SIGHUP");
    await vi.waitFor(() => expect(running.stdout().split('"msg":"read again"')).toHaveLength(3), 5_000);
    const after = await jwks();

    expect(before.kids).toEqual(["2026-01"]);
    expect(after.kids).toEqual(["2026-09", "2026-01"]);
    expect(after.cert).toBe(new X509Certificate(testCertificate.cert).fingerprint256);
    expect(after.cert).not.toBe(before.cert);
  });
});

describe("a broker that hangs", () => {
  it("keeps no program from ending within 10 s", async () => {
    const own = await requireRabbit({ isOwn: true });
    const pid = own.pid ?? 0;
    onTestFinished(async () => {
      process.kill(pid, "SIGCONT");
      await own.stop();
    });
    const env = await settings({ RABBITMQ_URI: own.uri });
    const both = [run("observer", env), run("http-api", env)];
    await Promise.all(both.map((running) => running.ready));

    process.kill(pid, "SIGSTOP");
    const began = performance.now();
    for (const running of both) running.signal("SIGTERM");
    const ended = await Promise.all(both.map((running) => running.ended));

    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    // The limit is ten seconds. One more is for a busy machine.
    expect(performance.now() - began).toBeLessThan(11_000);
  });
});

describe("readiness", () => {
  it("is lost in every program while MongoDB is gone, and comes back with it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "chat21-ready-"));
    let mongo: MongoService = await startMongo({ folder, isOwn: true });
    onTestFinished(async () => {
      await stopMongo(mongo);
      await rm(folder, { recursive: true, force: true });
    });
    const uri = databaseUri(mongo.uri, "ready");
    const all = programs.map((program) => run(program, settingsOn(uri)));
    const urls = await Promise.all(all.map(urlOf));
    const now = () => Promise.all(urls.map(readiness));
    await expect.poll(now).toEqual(["200 ok", "200 ok", "200 ok"]);

    await stopMongo(mongo);
    const down = "503 store_unavailable";
    await expect.poll(now).toEqual([down, down, down]);
    mongo = await startMongo({ folder, isOwn: true, port: Number(new URL(mongo.uri).port) });
    await expect.poll(now, { timeout: 60_000 }).toEqual(["200 ok", "200 ok", "200 ok"]);
    for (const running of all) running.signal("SIGTERM");
    const ended = await Promise.all(all.map((running) => running.ended));

    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  });
});

describe("observers", () => {
  it("share the partitions evenly, and take over those of one that leaves", async () => {
    const env = await settings();
    const first = run("observer", env);
    const second = run("observer", env);
    const urls = await Promise.all([first, second].map(urlOf));
    const shares = () => Promise.all(urls.map((url) => metric(url, "chat21_partitions")));
    await expect.poll(shares).toEqual([8, 8]);

    first.signal("SIGTERM");
    const { code } = await first.ended;
    const left = metric(urls[1] ?? "", "chat21_partitions");
    await expect.poll(() => metric(urls[1] ?? "", "chat21_partitions")).toBe(16);

    expect(code).toBe(0);
    expect(await left).toBeGreaterThanOrEqual(8);
  });

  it("makes the schema when it is told to, and nothing else", async () => {
    const env = await settings({ CHAT21_MIGRATE: "0", CHAT21_START_TIMEOUT_SECONDS: "1" });

    const refused = await runProgram("observer", env).ended;
    const migrated = await runProgram("observer", env, ["migrate"]).ended;

    expect(refused.stderr).toMatch(/run the migration first; check MONGODB_URI\n$/);
    expect(migrated).toMatchObject({ code: 0, stdout: expect.stringContaining("the schema is up to date") });
    await expect(run("observer", env).ready).resolves.toMatchObject({ msg: "ready" });
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectMongoStore, migrateMongoStore } from "@chat21/store-mongo";
import { openSqliteStore } from "@chat21/store-sqlite";
import { compatToken, RestCaller } from "@chat21/testkit";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newDataDir, removeDataDirs, runChat21, ServerProcess } from "../server-process.ts";
import { OriginalChat21, uriOf } from "./original-chat21.ts";
import { everythingOnce } from "./scenarios.ts";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

let mongo: RequiredMongo;
let original: OriginalChat21;
let uri: string;

beforeAll(async () => {
  mongo = await requireMongo();
  uri = uriOf(mongo.uri, mongo.database);
});
beforeEach(async () => {
  original = await OriginalChat21.open(mongo.uri, mongo.database);
});
afterEach(async () => {
  await original.drop();
  await original.close();
});
afterAll(async () => {
  removeDataDirs();
  await mongo.stop();
});

const importInto = (dataDir: string, args: readonly string[] = []) =>
  runChat21(["import", uri, "--data-dir", dataDir, ...args]);

describe("chat21 import", () => {
  it("looks without touching, imports, and shows what it did", async () => {
    await everythingOnce(original);
    const dataDir = newDataDir();

    const dry = await importInto(dataDir, ["--dry-run", "--json"]);
    const isUntouched = !existsSync(dataDir);
    const shown = await importInto(dataDir);
    const again = await importInto(dataDir, ["--json"]);

    const [looked, second] = [JSON.parse(dry.stdout), JSON.parse(again.stdout)];
    expect([dry.code, shown.code, again.code]).toEqual([0, 0, 0]);
    expect(isUntouched).toBe(true);
    expect(looked).toMatchObject({ dryRun: true, complete: true, source: mongo.database });
    expect(shown.stdout).toMatch(new RegExp(`messages +${looked.messages.imported} +imported now`));
    expect(second.messages).toMatchObject({ imported: 0, numbered: looked.messages.imported });
  });

  it("leaves a folder that a server serves to old clients with their tokens", async () => {
    await everythingOnce(original);
    const dataDir = newDataDir();
    await importInto(dataDir);
    const server = await ServerProcess.start({ dataDir, env: { JWT_KEY: "tokenKey" } });
    const bert = new RestCaller(`${server.url}/api`, compatToken("bert", { secret: "tokenKey" }));

    const meanwhile = await importInto(dataDir);
    const history = await bert.get("tilechat/bert/conversations/anna/messages");
    const sent = await bert.post("tilechat/messages", {
      sender_fullname: "Bert",
      recipient_id: "anna",
      recipient_fullname: "Anna",
      text: "from the new server",
    });
    const after = await bert.get("tilechat/bert/conversations/anna/messages");
    await server.stop();
    await original.send("anna", "bert", { text: "too late" });
    const late = await importInto(dataDir, ["--json"]);

    expect(meanwhile).toMatchObject({ code: 1, stdout: "" });
    expect(meanwhile.stderr).toContain("is in use by another process: stop that one");
    const theirs = await original.listMessages("bert", "anna");
    expect(history.body.result.map((message: { text: string }) => message.text)).toEqual(
      theirs.slice(1).map(({ text }) => text),
    );
    expect(sent.status).toBe(200);
    expect(after.body.result).toHaveLength(history.body.result.length + 1);
    expect(JSON.parse(late.stdout)).toMatchObject({
      conversations: { skipped: 1, imported: 0 },
      messages: { skipped: 1 },
      refused: { native_events: 1 },
    });
    expect(late.stderr).toContain("were written to in the new store before the import");
  });

  it("writes down everything that it refuses", async () => {
    await original.send("anna", "no^2Esuch^2Eid");
    await original.send("anna", "bert", { text: "y".repeat(110_000) });
    const dataDir = newDataDir();
    const file = join(dirname(dataDir), "rejects.ndjson");

    const { code, stdout, stderr } = await importInto(dataDir, ["--rejects", file, "--json"]);

    const lines = readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const counts = Object.values(JSON.parse(stdout).refused as Record<string, number>);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(lines).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
    expect(lines.find(({ reason }) => reason === "message_too_large").document.text).toHaveLength(110_000);
    expect(lines.filter(({ collection }) => collection === "messages")).toMatchObject([
      { reason: "invalid_id", detail: "recipient" },
      { reason: "invalid_id", detail: "recipient" },
    ]);
  });

  it("imports into the very database of the original, and not while observers run on it", async () => {
    await everythingOnce(original);
    const before = await original.content();
    const options = { uri: mongo.uri, database: mongo.database };
    await migrateMongoStore(options);
    const store = await connectMongoStore(options);
    await store.leases.acquire("o1", ["observer/o1"], 600_000);

    const refused = await runChat21(["import", uri, "--into", uri]);
    await store.leases.release("o1", ["observer/o1"]);
    const done = await runChat21(["import", uri, "--into", uri, "--json"]);

    const heads = await store.conversations.heads("tilechat", "anna", 100);
    await store.close();
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("1 observer(s) work on it; stop them first");
    expect(done.code).toBe(0);
    expect(heads.length).toBeGreaterThan(5);
    expect(await original.content()).toBe(before);
  });

  it.each([
    [["import", "http://localhost/chat21"], /begins with mongodb:/],
    [["import", "mongodb://user:hunter2@127.0.0.1:1/chat21"], /cannot be read: .*127\.0\.0\.1:1/],
  ])("says in one line what is wrong with %j, and shows no password", async (args, message) => {
    const { code, stdout, stderr } = await runChat21([...args, "--data-dir", newDataDir()]);

    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("hunter2");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("says when the address names a database without a Chat21 in it", async () => {
    const other = uri.replace(mongo.database, `${mongo.database}-other`);

    const { code, stderr } = await runChat21(["import", other, "--data-dir", newDataDir()]);

    expect(code).toBe(1);
    expect(stderr).toContain(`"${mongo.database}-other" has none of the collections of a Chat21`);
  });
});

const conversations = 400;
const messagesOfEach = 25;
/** Too large to be imported: what is written down about them tells how far an import has come. */
const isRefused = (index: number) => index < 1_200 && index % 8 === 1 && index % 3 !== 0;

/** Many conversations, and one that takes several batches. */
async function fill(): Promise<void> {
  const at = 1_700_000_000_000;
  const documents = Array.from({ length: conversations * messagesOfEach }, (_, index) => {
    const other = index % 3 === 0 ? "long" : `user${index % conversations}`;
    const [sender, recipient] = index % 2 === 0 ? ["anna", other] : [other, "anna"];
    const text = isRefused(index) ? "x".repeat(110_000) : `${index}`;
    const message = {
      message_id: `m${index}`,
      sender,
      recipient,
      app_id: "tilechat",
      timestamp: at + index,
      text,
    };
    return [
      { ...message, timelineOf: sender, conversWith: recipient, status: 100 },
      { ...message, timelineOf: recipient, conversWith: sender, status: 200 },
    ];
  }).flat();
  await original.collection("messages").insertMany(documents);
}

/** Everything in a data folder that an import has a hand in. */
async function contentOf(dataDir: string) {
  const store = await openSqliteStore({ path: join(dataDir, "chat21.db") });
  const found = await store.conversations.heads("tilechat", "anna", 10_000);
  // They come in the order in which the import began them.
  const heads = found.toSorted((a, b) => (a.conversation < b.conversation ? -1 : 1));
  const content: unknown[] = [];
  for (const { conversation } of heads) {
    const of = { app: "tilechat", conversation };
    const events = await store.events.read({ ...of, limit: 1_000, from: "newest" });
    content.push({
      conversation,
      events: events.map(({ committedAt: _, ...event }) => event),
      record: await store.conversations.load([of]),
      states: await Promise.all(
        conversation
          .split(".")
          .map(async (user) => (await store.conversations.view("tilechat", conversation, user))?.state),
      ),
    });
  }
  const waiting = await store.events.undispatched(1_000, Number.MAX_SAFE_INTEGER);
  await store.close();
  return { content, waiting };
}

const sizeOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);

/** Starts an import, and stops it when it has written down so much more of what it refuses. Answers its exit code. */
async function stopImport(
  dataDir: string,
  moreBytes: number,
  signal: NodeJS.Signals,
  more: readonly string[] = [],
): Promise<number | null> {
  const rejects = join(dirname(dataDir), "rejects.ndjson");
  const enough = sizeOf(rejects) + moreBytes;
  const args = ["import", uri, "--data-dir", dataDir, "--rejects", rejects, ...more];
  const child = spawn(process.execPath, [cli, ...args], { stdio: "ignore" });
  const ended = once(child, "exit");
  const isFarEnough = () => sizeOf(rejects) >= enough || child.exitCode !== null;
  await vi.waitUntil(isFarEnough, { timeout: 60_000, interval: 1 });
  child.kill(signal);
  await ended;
  return child.exitCode;
}

describe("an import that is cut short", () => {
  it("comes to the same end after being killed again and again while it writes", async () => {
    await fill();
    const [killed, whole] = [newDataDir(), newDataDir()];
    const workDir = mkdtempSync(join(dirname(killed), "work-"));
    const codes: (number | null)[] = [];
    for (let kill = 0; kill < 5; kill += 1)
      codes.push(await stopImport(killed, 1_600_000, "SIGKILL", ["--work-dir", workDir]));

    const last = await importInto(killed, ["--json"]);
    const once = await importInto(whole, ["--json"]);

    const { messages, conversations: counts } = JSON.parse(last.stdout);
    expect(codes).toEqual([null, null, null, null, null]);
    expect(readdirSync(workDir)).toEqual([]);
    expect(counts.skipped).toBe(0);
    expect(counts.numbered).toBeGreaterThan(50);
    expect(counts.imported).toBeGreaterThan(10);
    expect(messages.imported).toBeLessThan(JSON.parse(once.stdout).messages.imported);
    const [afterKills, atOnce] = [await contentOf(killed), await contentOf(whole)];
    expect(afterKills.waiting).toEqual([]);
    expect(afterKills.content).toEqual(atOnce.content);
  });

  it("ends with what it is writing when it is interrupted, and goes on the next time", async () => {
    await fill();
    const dataDir = newDataDir();
    const code = await stopImport(dataDir, 2_000_000, "SIGINT");

    const next = await importInto(dataDir, ["--json"]);

    const { conversations: counts } = JSON.parse(next.stdout);
    expect(code).toBe(1);
    expect(counts.numbered + counts.imported).toBe(conversations + 1);
    expect(counts.numbered).toBeGreaterThan(0);
    expect(counts.skipped).toBe(0);
  });
});

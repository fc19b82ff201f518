import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { compatToken, startWebhookReceiver, type WebhookReceiver } from "@chat21/testkit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { newDataDir, removeDataDirs, runChat21, ServerProcess } from "./server-process.ts";

let server: ServerProcess;
let webhooks: WebhookReceiver;

beforeAll(async () => {
  webhooks = await startWebhookReceiver();
  server = await ServerProcess.start({ env: { WEBHOOK_ENDPOINTS: webhooks.url } });
});
afterAll(async () => {
  await server.stop("SIGKILL");
  await webhooks.close();
  removeDataDirs();
});

/** Runs a command against this file's server. */
const chat21 = (args: readonly string[], input?: string) =>
  runChat21(args, { env: { CHAT21_DATA_DIR: server.dataDir }, ...(input === undefined ? {} : { input }) });

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

describe("the command line", () => {
  it.each([
    [["strat"], /unknown command 'strat'/],
    [["start", "--prot", "1"], /unknown option '--prot'/],
    [["token"], /missing required argument 'user'/],
    [["send", "bob", "hi"], /required option '--as <user>' not specified/],
    [["token", "a", "--profile", "lax"], /Allowed choices are strict, compat/],
  ])("answers %j with exit code 2 and a hint", async (args, message) => {
    const { code, stdout, stderr } = await chat21(args);

    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });

  it("shows its help without a complaint", async () => {
    const [asked, help] = [await chat21(["--help"]), await chat21(["help", "send"])];

    expect([asked.code, help.code]).toEqual([0, 0]);
    expect(help.stdout).toContain('chat21 send bob "Hello Bob" --as alice');
  });

  it("says where it looked when there is no server or no secret", async () => {
    const nothing = await runChat21(["send", "b", "hi", "--as", "a"], {
      env: { CHAT21_DATA_DIR: newDataDir() },
    });
    const gone = await runChat21(["send", "b", "hi", "--as", "a", "--url", "http://127.0.0.1:9"], {
      env: { CHAT21_JWT_SECRET: "x" },
    });
    const users = await runChat21(["users", "list", "--url", "http://127.0.0.1:9"], {
      env: { JWT_KEY: "x" },
    });

    expect(nothing).toMatchObject({ code: 1, stdout: "" });
    expect(nothing.stderr).toContain("there is no secret of a server here");
    for (const { code, stderr } of [gone, users]) {
      expect(code).toBe(1);
      expect(stderr).toContain("no server answers at http://127.0.0.1:9");
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("says so when REST answers and MQTT over WebSocket does not", async () => {
    const api = createServer((request, response) =>
      response.writeHead(request.url === "/healthz" ? 200 : 404).end(),
    );
    onTestFinished(() => void api.close());
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;

    const { code, stderr } = await runChat21(["send", "b", "hi", "--as", "a", "--url", url], {
      env: { CHAT21_JWT_SECRET: "x" },
    });

    expect(code).toBe(1);
    expect(stderr).toContain(`${url} answers, but takes no MQTT over WebSocket at /ws`);
  });

  it("says so when the secret is not the server's", async () => {
    const { code, stderr } = await runChat21(["send", "b", "hi", "--as", "a", "--url", server.url], {
      env: { CHAT21_JWT_SECRET: "some-other-secret" },
    });

    expect(code).toBe(1);
    expect(stderr).toContain("does not accept tokens of this data folder's secret");
  });
});

describe("chat21 token", () => {
  it("prints a token and nothing else", async () => {
    const { code, stdout, stderr } = await chat21(["token", "alice"]);
    const claims = claimsOf(stdout);

    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(claims).toMatchObject({
      sub: "alice",
      app_id: "tilechat",
      profile: "strict",
      tiledesk_api_roles: "user",
    });
    expect(claims.exp - claims.iat).toBe(3_600);
  });

  it("takes a time, a client id, an app, a profile and a role", async () => {
    const strict = claimsOf(
      (await chat21(["token", "a", "--ttl", "10m", "--client-id", "device-1", "--app", "other"])).stdout,
    );
    const compat = claimsOf(
      (await chat21(["token", "b", "--admin", "--profile", "compat", "--ttl", "365d"])).stdout,
    );

    expect(strict).toMatchObject({ client_id: "device-1", app_id: "other" });
    expect(strict.exp - strict.iat).toBe(600);
    expect(compat).toMatchObject({ profile: "compat", tiledesk_api_roles: "admin" });
    expect(compat.exp - compat.iat).toBe(365 * 24 * 3_600);
  });

  it.each([
    [["token", "a^2Fb"], "the user's id has a form that is not allowed"],
    [["token", "a", "--ttl", "soon"], '--ttl: expected a time such as 90s, 15m, 12h or 30d, got "soon"'],
    [["token", "a", "--ttl", "2h"], "a strict token must live 1-3600 seconds"],
    [["token", "a", "--client-id", "x", "--profile", "compat"], "only a strict token is for one client id"],
  ])("refuses %j in one line", async (args, message) => {
    const { code, stdout, stderr } = await chat21(args);

    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("chat21 token check", () => {
  it("shows what a good token says, given as it is or through a pipe", async () => {
    const token = (await chat21(["token", "alice", "--client-id", "phone"])).stdout.trim();

    const shown = await chat21(["token", "check", token]);
    const piped = await chat21(["token", "check", "-", "--json"], `Bearer ${token}\n`);

    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toMatch(/user +alice\n/);
    expect(JSON.parse(piped.stdout)).toMatchObject({
      ...{
        accepted: true,
        user: "alice",
        app: "tilechat",
        admin: false,
        profile: "strict",
        clientId: "phone",
      },
    });
  });

  it.each([
    ["of another secret", compatToken("a", { secret: "another" }), "unauthorized", "invalid signature"],
    ["that is none", "hush-hush", "unauthorized", "it is not a JSON Web Token"],
    [
      "without a signature",
      compatToken("a", { secret: "", algorithm: "none" }),
      "unauthorized",
      "its algorithm",
    ],
  ])("says why a server refuses one %s, with nothing of the token", async (_what, token, code, reason) => {
    const shown = await chat21(["token", "check", token]);
    const asJson = await chat21(["token", "check", token, "--json"]);

    expect([shown.code, asJson.code]).toEqual([1, 1]);
    expect(shown.stderr).toContain(`refused (${code}): ${reason}`);
    expect(shown.stderr).not.toContain("hush-hush");
    expect(JSON.parse(asJson.stdout)).toMatchObject({ accepted: false, code });
  });

  it("names the claim that fails", async () => {
    const secret = readFileSync(join(server.dataDir, "jwt-secret"), "utf8").trim();
    const reasonOf = async (token: string) => (await chat21(["token", "check", token])).stderr;

    expect(await reasonOf(compatToken("a", { secret, ttlSeconds: -5 }))).toContain("exp is in the past");
    expect(await reasonOf(compatToken("..", { secret }))).toContain("sub or app_id is no id");
    expect(await reasonOf(compatToken("system", { secret }))).toContain("sub is system");
  });

  it("says what the scopes of a token allow", async () => {
    const secret = readFileSync(join(server.dataDir, "jwt-secret"), "utf8").trim();
    const opens = async (scope?: readonly string[] | null) => {
      const token = compatToken("a", { secret, ...(scope === undefined ? {} : { scope }) });
      return JSON.parse((await chat21(["token", "check", token, "--json"])).stdout).opens;
    };

    expect(await opens()).toEqual(["read", "send", "write"]);
    expect(await opens(null)).toEqual(["read", "send", "write"]);
    expect(await opens(["rabbitmq.read:*/*/apps.tilechat.users.a.*"])).toEqual(["read"]);
    expect(await opens([])).toEqual([]);
  });

  it("takes a token without exp where the server does", async () => {
    const secret = readFileSync(join(server.dataDir, "jwt-secret"), "utf8").trim();
    const endless = compatToken("a", { secret, ttlSeconds: null });
    const checked = (setting: string) =>
      runChat21(["token", "check", endless], {
        env: { CHAT21_DATA_DIR: server.dataDir, CHAT21_TOKENS_WITHOUT_EXP: setting },
      });

    expect((await checked("0")).stderr).toContain("exp is missing");
    expect((await checked("1")).code).toBe(0);
  });
});

describe("chat21 send and tail", () => {
  it("bring a message from one terminal to another", async () => {
    const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
    const tail = spawn(process.execPath, [cli, "tail", "--as", "bob", "--json"], {
      env: { PATH: process.env["PATH"], CHAT21_DATA_DIR: server.dataDir },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: tail.stdout })[Symbol.asyncIterator]();
    // Not before bob is there: what comes earlier is history and not shown.
    await webhooks.next(({ body }) => body.event_type === "presence-change" && body.user_id === "bob");

    const sent = await chat21(["send", "bob", "Hello", "Bob", "--as", "alice", "--fullname", "Alice"]);
    const piped = await chat21(["send", "bob", "-", "--as", "alice", "--json"], "two\nlines\n");
    const first = JSON.parse((await lines.next()).value as string);
    const second = JSON.parse((await lines.next()).value as string);
    tail.kill("SIGINT");
    const [code] = (await once(tail, "exit")) as [number];

    expect(sent.stdout).toMatch(/^sent to bob as message 1 \([\w-]+\)\n$/);
    expect(first).toMatchObject({ text: "Hello Bob", sender: "alice", sender_fullname: "Alice", seq: 1 });
    expect(second).toMatchObject({ text: "two\nlines", seq: 2 });
    expect(JSON.parse(piped.stdout)).toMatchObject({ text: "two\nlines", seq: 2 });
    expect(code).toBe(0);
  });

  it("say why a message is not taken", async () => {
    const bad = await chat21(["send", "bob^23", "hi", "--as", "alice"]);
    const empty = await chat21(["send", "bob", "-", "--as", "alice"], "");

    expect([bad.code, empty.code]).toEqual([1, 1]);
    expect(bad.stderr).toContain("invalid_id");
    expect(empty.stderr).toContain("there is no text to send");
  });
});

describe("chat21 users and groups", () => {
  it("keep people and groups", async () => {
    const put = await chat21([
      "users",
      "put",
      "carol",
      "--fullname",
      "Carol C.",
      "--attributes",
      '{"team":"x"}',
    ]);
    const show = JSON.parse((await chat21(["users", "show", "carol", "--json"])).stdout);
    const listed = (await chat21(["users", "list", "--json"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const group = (await chat21(["groups", "create", "The Team", "dave", "--owner", "carol"])).stdout.trim();
    const added = await chat21(["groups", "add", group, "erin", "frank"]);
    const removed = await chat21(["groups", "remove", group, "dave"]);
    const members = (await chat21(["groups", "members", group])).stdout.trim().split("\n");
    const gone = await chat21(["users", "delete", "carol"]);
    const unknown = await chat21(["users", "show", "carol"]);

    expect(put.stdout).toContain("stored carol (Carol C.)");
    expect(show).toMatchObject({
      id: "carol",
      fullname: "Carol C.",
      attributes: { team: "x" },
      presence: "offline",
    });
    expect(listed.map(({ id }) => id)).toContain("carol");
    expect(group).toMatch(/^group-/);
    expect(added.stdout).toBe("added erin\nadded frank\n");
    expect(removed.stdout).toBe("removed dave\n");
    expect(members.sort()).toEqual(["carol", "erin", "frank"]);
    expect(gone.code).toBe(0);
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("not_found");
  });
});

describe("a server elsewhere", () => {
  /** Nothing of the server's folder: its address and a token, as for a cluster. */
  const remote = (token: string, args: readonly string[]) =>
    runChat21(args, { env: { CHAT21_DATA_DIR: newDataDir(), CHAT21_URL: server.url, CHAT21_TOKEN: token } });
  const tokenOf = async (args: readonly string[]) => (await chat21(["token", ...args])).stdout.trim();

  it("is served by an address and an admin's token alone", async () => {
    const admin = await tokenOf(["backend", "--admin"]);
    const sent = await remote(admin, ["send", "far-b", "from far", "--as", "far-a", "--json"]);
    const group = (
      await remote(admin, ["groups", "create", "Far", "far-b", "--owner", "far-a"])
    ).stdout.trim();

    const history = await remote(admin, ["history", "far-b", "--as", "far-a", "--json"]);
    const people = await remote(admin, ["history", "far-a", "--as", "far-b"]);
    const all = await remote(admin, ["groups", "list"]);
    const of = await remote(admin, ["groups", "list", "--user", "far-b", "--json"]);

    expect(JSON.parse(sent.stdout)).toMatchObject({ text: "from far", sender: "far-a" });
    expect(JSON.parse(history.stdout)).toMatchObject({ seq: 1, message: { text: "from far" } });
    expect(people.stdout).toMatch(/^1 .* far-a {2}from far\n$/);
    expect(all.stdout).toContain(group);
    expect(JSON.parse(of.stdout)).toMatchObject({ uid: group, name: "Far", owner: "far-a", memberCount: 2 });
  });

  it("lets a person's own token do what that person may, and no more", async () => {
    const token = await tokenOf(["own-a"]);

    const own = await remote(token, ["send", "own-b", "mine", "--as", "own-a"]);
    const others = await remote(token, ["send", "own-b", "not mine", "--as", "own-c"]);
    const users = await remote(token, ["users", "list"]);
    const none = await remote("no token", ["send", "own-b", "x", "--as", "own-a"]);

    expect([own.code, others.code, users.code, none.code]).toEqual([0, 1, 1, 1]);
    for (const { stderr } of [others, users]) expect(stderr).toContain("(forbidden)");
    expect(none.stderr).toContain("expected a server key (c21_…) or a JSON Web Token");
  });

  it("is told from a server that is none: one line, without what that one wrote", async () => {
    const answers = [
      [200, "text/html", "<!DOCTYPE html><p>It works!</p>"],
      [404, "text/html", "<h1>404</h1>"],
      [502, "text/html", "<h1>Bad Gateway</h1>"],
      [200, "application/json", "{"],
      [500, "text/plain", "stack trace"],
    ] as const;
    const token = await tokenOf(["backend", "--admin"]);
    for (const [status, type, body] of answers) {
      const other = createServer((_request, response) => {
        response.writeHead(status, { "content-type": type }).end(body);
      }).listen(0, "127.0.0.1");
      await once(other, "listening");
      const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;

      const { code, stdout, stderr } = await remote(token, ["users", "list", "--url", url]);
      other.close();

      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`no Chat21 server at ${url}`);
      expect(stderr).not.toContain(body);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });
});

describe("chat21 token revoke", () => {
  it("ends one token by its id, or all that a person has", async () => {
    const [one, other] = [
      JSON.parse((await chat21(["token", "leaver", "--json"])).stdout),
      JSON.parse((await chat21(["token", "leaver", "--json"])).stdout),
    ];
    const statusOf = async ({ token }: { token: string }) =>
      (await fetch(`${server.url}/verify`, { headers: { authorization: token } })).status;

    const first = await chat21(["token", "revoke", "leaver", "--id", one.tokenId]);
    const between = [await statusOf(one), await statusOf(other)];
    const all = await chat21(["token", "revoke", "leaver", "--json"]);

    expect(first.stdout).toBe(`revoked ${one.tokenId} of leaver\n`);
    expect(between).toEqual([403, 200]);
    expect(JSON.parse(all.stdout)).toEqual({ user: "leaver", revoked: "all" });
    expect(await statusOf(other)).toBe(403);
  });
});

describe("chat21 key", () => {
  it("makes a key that opens REST and the commands, lists it, and ends it", async () => {
    const made = await chat21(["key", "create", "shop", "--expires", "90d"]);
    const key = made.stdout.trim();
    const withKey = (args: readonly string[]) =>
      runChat21([...args, "--url", server.url], {
        env: { CHAT21_DATA_DIR: newDataDir(), CHAT21_TOKEN: key },
      });
    const put = await withKey(["users", "put", "keyed", "--fullname", "Keyed"]);
    const sent = await withKey(["send", "keyed", "hello", "--as", "shop"]);
    const listed = await chat21(["key", "list", "--json"]);
    const { id } = JSON.parse(listed.stdout);
    const revoked = await chat21(["key", "revoke", id]);
    const after = await withKey(["users", "list"]);
    const again = await chat21(["key", "revoke", id]);

    expect(key).toMatch(/^c21_[\w-]{43}$/);
    expect([put.code, sent.code]).toEqual([0, 0]);
    expect(JSON.parse(listed.stdout)).toMatchObject({ user: "shop", lastUsedAt: expect.any(Number) });
    expect(listed.stdout).not.toContain(key);
    expect(revoked.stdout).toBe(`revoked ${id}\n`);
    expect([after.code, after.stdout, again.code]).toEqual([1, "", 1]);
    expect(again.stderr).toContain("there is no such server key");
  });
});

describe("chat21 webhooks", () => {
  it("lists, logs, replays and tests", async () => {
    await chat21(["send", "hook-b", "to the hook", "--as", "hook-a"]);
    const isSent = ({ body }: WebhookReceiver["received"][number]) =>
      body.event_type === "message-sent" && body.data?.text === "to the hook";
    const first = await webhooks.next(isSent);

    const list = await chat21(["webhooks", "list"]);
    const log = await chat21([
      "webhooks",
      "log",
      "--event",
      "message-sent",
      "--state",
      "delivered",
      "--json",
    ]);
    const rows = log.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const id = first.headers["webhook-id"] as string;
    const replay = await chat21(["webhooks", "replay", id]);
    await webhooks.until((all) => all.filter(isSent).length === 2);
    const test = await chat21(["webhooks", "test"]);
    await webhooks.next(({ body }) => body.event_type === "webhook-test");
    const nowhere = await chat21(["webhooks", "test", "http://127.0.0.1:9/other"]);

    expect(list.stdout).toContain(webhooks.url);
    expect(rows.map((row) => row.id)).toContain(id);
    expect(replay.stdout).toBe("to be delivered again: 1\n");
    expect(webhooks.received.filter(isSent).map(({ headers }) => headers["webhook-id"])).toEqual([id, id]);
    expect(test.stdout).toMatch(/^delivered \(200\), event /);
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain("there is no such endpoint");
  });

  it("are not for the admins of an app", async () => {
    const token = (await chat21(["token", "backend", "--admin"])).stdout.trim();

    const withAdmin = await fetch(`${server.url}/operator/webhooks`, { headers: { authorization: token } });
    const without = await fetch(`${server.url}/operator/webhooks`);

    expect([withAdmin.status, without.status]).toEqual([403, 401]);
  });
});

describe("chat21 erase", () => {
  it("erases what a person wrote, the profile and the tokens, and keeps the numbers", async () => {
    await chat21(["users", "put", "gone", "--fullname", "Gone G."]);
    const group = (await chat21(["groups", "create", "G", "stays", "--owner", "gone"])).stdout.trim();
    await chat21(["send", "stays", "my secret", "--as", "gone"]);
    await chat21(["send", "gone", "an answer", "--as", "stays"]);
    const token = (await chat21(["token", "gone"])).stdout.trim();

    const unsure = await chat21(["erase", "gone"]);
    const erased = JSON.parse((await chat21(["erase", "gone", "--yes", "--json"])).stdout);
    const history = await fetch(`${server.url}/api/tilechat/stays/conversations/gone/messages`, {
      headers: { authorization: (await chat21(["token", "stays"])).stdout.trim() },
    });
    const signedOut = await fetch(`${server.url}/api/tilechat/gone/conversations`, {
      headers: { authorization: token },
    });
    const members = (await chat21(["groups", "members", group])).stdout.trim().split("\n");

    expect(unsure.code).toBe(1);
    expect(unsure.stderr).toContain("this cannot be undone");
    expect(erased).toMatchObject({ messages: 1, groups: 1, profile: true, instances: 0 });
    expect(erased.names).toBeGreaterThan(0);
    expect(erased.webhooks).toBeGreaterThan(0);
    expect(((await history.json()) as { result: unknown }).result).toMatchObject([
      { text: "an answer", seq: 2 },
    ]);
    expect(signedOut.status).toBe(403);
    expect(members).toEqual(["stays"]);
    expect((await chat21(["users", "show", "gone"])).code).toBe(1);
  });
});

describe("chat21 backup and restore", () => {
  it("copy a database that is in use, and put it back with a new epoch", async () => {
    const other = await ServerProcess.start();
    const { dataDir } = other;
    const inOther = (args: readonly string[]) => runChat21(args, { env: { CHAT21_DATA_DIR: dataDir } });
    const file = join(dataDir, "..", "backup.db");
    await inOther(["send", "b", "kept", "--as", "a"]);
    const epochOf = async () =>
      JSON.parse((await inOther(["send", "e", "x", "--as", "a", "--json"])).stdout).epoch;
    const epochBefore = await epochOf();

    const backup = await inOther(["backup", file]);
    await inOther(["send", "b", "lost", "--as", "a"]);
    const again = await inOther(["backup", file]);
    const whileRunning = await inOther(["restore", file, "--force"]);
    await other.stop();
    const withoutForce = await inOther(["restore", file]);
    const restored = await inOther(["restore", file, "--force"]);
    const after = await ServerProcess.start({ dataDir });
    const epochAfter = await epochOf();
    const history = await fetch(`${after.url}/api/tilechat/a/conversations/b/messages`, {
      headers: { authorization: (await inOther(["token", "a"])).stdout.trim() },
    });
    await after.stop();

    expect(backup).toMatchObject({ code: 0, stderr: "" });
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("--force");
    expect(whileRunning.code).toBe(1);
    expect(whileRunning.stderr).toContain("is in use by another process");
    expect(withoutForce.code).toBe(1);
    expect(withoutForce.stderr).toContain("--force");
    expect(restored).toMatchObject({ code: 0, stderr: "" });
    expect(((await history.json()) as { result: unknown[] }).result).toMatchObject([{ text: "kept" }]);
    expect(epochAfter).not.toBe(epochBefore);
  });

  it("into an empty folder needs no force, and a file that is no backup is refused", async () => {
    const file = join(server.dataDir, "..", "copy.db");
    await chat21(["backup", file]);
    const fresh = newDataDir();

    const restored = await runChat21(["restore", file, "--data-dir", fresh]);
    const notADatabase = await runChat21([
      "restore",
      join(server.dataDir, "jwt-secret"),
      "--data-dir",
      newDataDir(),
    ]);
    const missing = await runChat21(["restore", "/nowhere/backup.db", "--data-dir", newDataDir()]);

    expect(restored.code).toBe(0);
    expect(existsSync(join(fresh, "chat21.db"))).toBe(true);
    for (const { code, stderr } of [notADatabase, missing]) {
      expect(code).toBe(1);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });
});

describe("chat21 doctor", () => {
  it("finds nothing wrong with a running server", async () => {
    const { code, stdout } = await runChat21(["doctor", "--json"], {
      env: {
        CHAT21_DATA_DIR: server.dataDir,
        CHAT21_HTTP_PORT: new URL(server.url).port,
        CHAT21_MQTT_PORT: new URL(server.mqttUrl).port,
      },
    });
    const { findings } = JSON.parse(stdout);

    expect(findings.filter(({ result }: { result: string }) => result === "failure")).toEqual([]);
    expect(code).toBe(0);
  });

  it("fails for a port that somebody else has, and says what to do", async () => {
    const { code, stdout } = await runChat21(["doctor"], {
      env: {
        CHAT21_DATA_DIR: newDataDir(),
        CHAT21_HTTP_PORT: new URL(server.url).port,
        CHAT21_MQTT_PORT: "off",
      },
    });

    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ HTTP port .* choose another with --http-port/);
  });

  it("finds an open folder, a weak secret and a damaged database", async () => {
    const dataDir = newDataDir();
    const first = await ServerProcess.start({ dataDir });
    await first.stop();
    const path = join(dataDir, "chat21.db");
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4_096, Math.min(bytes.length, 20_000));
    writeFileSync(path, bytes);
    chmodSync(dataDir, 0o755);

    const { code, stdout } = await runChat21(["doctor"], {
      env: { CHAT21_DATA_DIR: dataDir, CHAT21_HTTP_PORT: "0", CHAT21_MQTT_PORT: "off", JWT_KEY: "tokenKey" },
    });

    expect(code).toBe(1);
    expect(stdout).toMatch(/! data folder .* chmod 700/);
    expect(stdout).toMatch(/! secret .* weak/);
    expect(stdout).toMatch(/✗ database .* restore a backup/);
  });

  it("is content with a folder that does not exist yet", async () => {
    const parent = newDataDir();
    mkdirSync(parent);
    const { code, stdout } = await runChat21(["doctor"], {
      env: { CHAT21_DATA_DIR: join(parent, "new"), CHAT21_HTTP_PORT: "0", CHAT21_MQTT_PORT: "0" },
    });

    expect(code).toBe(0);
    expect(stdout).toContain("will be made at the first start");
  });
});

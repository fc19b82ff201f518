import { afterEach, describe, expect, test, vi } from "vitest";
import { createDrafts } from "../src/composer/drafts.ts";
import { adoptUnsent, createChatStorage, eraseRecords } from "../src/session/chat-storage.ts";
import type { SignInOutcome } from "../src/session/development-sign-in.ts";
import { namesIn, sturdyArea } from "../src/session/page-area.ts";
import { forgetSession, loadSession, type Session, saveSession } from "../src/session/session.ts";
import { createTokenSource } from "../src/session/token-source.ts";
import { readToken } from "../src/sign-in/read-token.ts";
import { createArea } from "./area-fixture.ts";

const session: Session = { app: "tilechat", user: "ada", fullname: "Ada", token: "a.b.c", renewable: true };

describe("a session", () => {
  test("is remembered until it is forgotten, and what was written stays", () => {
    const area = createArea();
    saveSession(session, area);
    createDrafts(session, area).set("grace", "half a sen");

    expect(loadSession(area)).toEqual(session);
    forgetSession(area);

    expect(loadSession(area)).toBeUndefined();
    expect(createDrafts(session, area).get("grace")).toBe("half a sen");
  });

  test.each(["", "{", "null", "[]", '{"app":"tilechat"}', JSON.stringify({ ...session, user: "a^2Fb" })])(
    "that is damaged (%s) counts as none",
    (text) => {
      const area = createArea();
      area.setItem("chat21.session", text);

      expect(loadSession(area)).toBeUndefined();
    },
  );
});

describe("drafts", () => {
  test("survive a reload and are forgotten when they are emptied", () => {
    const area = createArea();
    const drafts = createDrafts(session, area);
    const heard: string[] = [];
    drafts.subscribe(() => heard.push(drafts.get("grace")));

    drafts.set("grace", "Dear");
    drafts.set("grace", "Dear");
    expect(createDrafts(session, area).get("grace")).toBe("Dear");
    drafts.set("grace", "");

    expect(createDrafts(session, area).get("grace")).toBe("");
    expect(heard).toEqual(["Dear", ""]);
  });

  test("are each person's own", () => {
    const area = createArea();
    createDrafts(session, area).set("grace", "from Ada");

    expect(createDrafts({ app: "tilechat", user: "mallory" }, area).get("grace")).toBe("");
  });
});

describe("an area that the browser does not offer", () => {
  test.each<[string, () => Storage | null]>([
    [
      "because storage is switched off",
      () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      },
    ],
    ["as in a web view", () => null],
    ["because it is full", () => createArea(0)],
  ])("%s is kept in memory", (_, open) => {
    const area = sturdyArea(open);

    area.setItem("chat21.a", "one");
    area.setItem("chat21.b", "two");
    area.removeItem("chat21.b");

    expect([area.length, area.key(0), area.getItem("chat21.a")]).toEqual([1, "chat21.a", "one"]);
    expect(area.getItem("chat21.b")).toBeNull();
  });

  test("takes over again once there is room", () => {
    const real = createArea(3);
    const area = sturdyArea(() => real);
    area.setItem("k", "long text");

    area.setItem("k", "one");

    expect([real.getItem("k"), area.getItem("k")]).toEqual(["one", "one"]);
  });
});

describe("the client's records", () => {
  const areas = () => ({ window: createArea(), browser: createArea() });

  test("keep collections and windows apart, and are listed by prefix in order", async () => {
    const both = areas();
    const storage = createChatStorage("one", both);
    await storage.put("outbox", "ada/2", { n: 2 });
    await storage.put("outbox", "ada/1", { n: 1 });
    await storage.put("outbox", "bob/1", { n: 9 });
    await storage.put("meta", "ada/1", "meta");
    await createChatStorage("two", both).put("outbox", "ada/3", { n: 3 });

    expect(await storage.list("outbox", "ada/")).toEqual([
      { key: "ada/1", value: { n: 1 } },
      { key: "ada/2", value: { n: 2 } },
    ]);
    await storage.delete("outbox", "ada/1");
    await storage.delete("outbox", "ada/1");

    expect(await storage.get("outbox", "ada/1")).toBeUndefined();
    expect(await storage.get("meta", "ada/1")).toBe("meta");
  });

  test("that are damaged are null: the client leaves them out, and reports them", async () => {
    const both = areas();
    both.browser.setItem("chat21.one.outbox.ada/1", "{");
    both.window.setItem("chat21.one.meta.ada/positions", "{");
    const storage = createChatStorage("one", both);

    expect(await storage.list("outbox", "ada/")).toEqual([{ key: "ada/1", value: null }]);
    expect(await storage.get("meta", "ada/positions")).toBeNull();
  });

  test("of a window that was closed go to the next one of the same person, with their messages only", async () => {
    const both = areas();
    vi.stubGlobal("navigator", {
      locks: { request: async (_: string, __: object, hold: () => void) => hold() },
    });
    const closed = createChatStorage("closed", both);
    await closed.put("outbox", "tilechat/ada/1", "unsent");
    await closed.put("outbox", "tilechat/mallory/2", "hers");
    await closed.put("marks", "tilechat/ada/1", "read");
    await createChatStorage("next", both).put("marks", "tilechat/ada/2", "read here");

    await adoptUnsent("next", session, both);

    const next = createChatStorage("next", both);
    expect(await next.list("marks", "")).toEqual([
      { key: "tilechat/ada/1", value: "read" },
      { key: "tilechat/ada/2", value: "read here" },
    ]);
    expect(await next.list("outbox", "")).toEqual([{ key: "tilechat/ada/1", value: "unsent" }]);
    expect(await closed.list("outbox", "")).toEqual([{ key: "tilechat/mallory/2", value: "hers" }]);
    vi.unstubAllGlobals();
  });

  test("are erased for one person and window", async () => {
    const both = areas();
    const [mine, open] = [createChatStorage("mine", both), createChatStorage("open", both)];
    for (const storage of [mine, open]) await storage.put("outbox", "tilechat/ada/1", "unsent");
    await mine.put("marks", "tilechat/ada/1", "read");
    await mine.put("meta", "tilechat/mallory/device", "hers");
    await mine.put("meta", "tilechat/ada/device", "his");
    createDrafts(session, both.window).set("grace", "half a sen");

    eraseRecords(session, "mine", both);

    expect([...namesIn(both.window), ...namesIn(both.browser)]).toEqual([
      "chat21.mine.meta.tilechat/mallory/device",
      "chat21.open.outbox.tilechat/ada/1",
    ]);
  });
});

const token = (claims: unknown) => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;

describe("createTokenSource", () => {
  const good = {
    ...session,
    token: token({ sub: "ada", app_id: "tilechat", exp: Date.now() / 1_000 + 600 }),
  };
  const old = { ...session, token: token({ sub: "ada", app_id: "tilechat", exp: 1 }) };

  afterEach(() => vi.unstubAllGlobals());

  test("gives the session's token first and a new, remembered one whenever it is asked again", async () => {
    const area = createArea();
    vi.stubGlobal("sessionStorage", area);
    const source = createTokenSource(good, async () => ({ result: "signed-in", token: "next", user: "ada" }));
    if (typeof source === "string") throw new Error("a renewable session has a function");

    expect(await source()).toBe(good.token);
    expect(await source()).toBe("next");
    expect(loadSession(area)?.token).toBe("next");
  });

  test("opens with a token that has run out while the server is away, and then says that it is away", async () => {
    const source = createTokenSource(old, async () => ({ result: "unreachable" }));
    if (typeof source === "string") throw new Error("a renewable session has a function");

    expect(await source()).toBe(old.token);
    await expect(source()).rejects.toMatchObject({ code: "connection_lost" });
  });

  test.each(["not_found", "forbidden", "unauthorized"])(
    "says when the server gives no more tokens by name: %s",
    async (code) => {
      const source = createTokenSource(old, async () => ({ result: "unavailable", code }));
      if (typeof source === "string") throw new Error("a renewable session has a function");

      await expect(source()).rejects.toMatchObject({ code: "unauthorized" });
    },
  );

  test.each<[string, SignInOutcome]>([
    ["a proxy's page with 404", { result: "unavailable" }],
    ["a proxy's page with 403", { result: "refused", reason: "The server answered 403." }],
    ["a limit", { result: "refused", code: "rate_limited", reason: "too fast" }],
  ])("asks again later after %s", async (_, outcome) => {
    const source = createTokenSource(old, async () => outcome);
    if (typeof source === "string") throw new Error("a renewable session has a function");

    expect(await source()).toBe(old.token);
    await expect(source()).rejects.toMatchObject({ code: "connection_lost" });
  });

  test("has nothing but the token where it cannot be renewed", () => {
    expect(createTokenSource({ ...session, renewable: false })).toBe("a.b.c");
  });
});

describe("readToken", () => {
  test("reads who, where and until when", () => {
    expect(readToken(token({ sub: "ädä", app_id: "tilechat", exp: 5 }))).toEqual({
      user: "ädä",
      app: "tilechat",
      expiresAt: 5_000,
    });
    expect(readToken(token({ sub: "a", app_id: "b" }))?.expiresAt).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    "",
    "a",
    "a.b.c",
    "a.%%%.c",
    token(null),
    token(7),
    token({ sub: "a" }),
    token({ sub: "", app_id: "b" }),
  ])("takes %s for no token", (text) => {
    expect(readToken(text)).toBeUndefined();
  });
});

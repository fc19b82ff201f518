import { afterEach, describe, expect, test, vi } from "vitest";
import { createDrafts } from "../src/composer/drafts.ts";
import { clearSession, loadSession, type Session, saveSession } from "../src/session/session.ts";
import { sessionChatStorage } from "../src/session/session-storage.ts";
import { createTokenSource } from "../src/session/token-source.ts";
import { readToken } from "../src/sign-in/read-token.ts";
import { createArea } from "./area-fixture.ts";

const session: Session = { app: "tilechat", user: "ada", fullname: "Ada", token: "a.b.c", renewable: true };

describe("a session", () => {
  test("is remembered until it is cleared, with everything this page kept", () => {
    const area = createArea();
    area.setItem("other", "stays");
    saveSession(session, area);
    createDrafts(area).set("grace", "half a sen");

    expect(loadSession(area)).toEqual(session);
    clearSession(area);

    expect(loadSession(area)).toBeUndefined();
    expect(createDrafts(area).get("grace")).toBe("");
    expect(area.getItem("other")).toBe("stays");
  });

  test.each(["", "{", "null", "[]", '{"app":"tilechat"}', JSON.stringify({ ...session, user: "a/b" })])(
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
    const drafts = createDrafts(area);
    const heard: string[] = [];
    drafts.subscribe(() => heard.push(drafts.get("grace")));

    drafts.set("grace", "Dear");
    drafts.set("grace", "Dear");
    expect(createDrafts(area).get("grace")).toBe("Dear");
    drafts.set("grace", "");

    expect(createDrafts(area).get("grace")).toBe("");
    expect(heard).toEqual(["Dear", ""]);
  });

  test("go on in memory when the storage is full", () => {
    const drafts = createDrafts(createArea(10));

    drafts.set("grace", "longer than ten characters");

    expect(drafts.get("grace")).toBe("longer than ten characters");
  });
});

describe("sessionChatStorage", () => {
  test("keeps collections and namespaces apart and lists by prefix in order", async () => {
    const area = createArea();
    const storage = sessionChatStorage("chat21.one", area);
    await storage.put("outbox", "ada/2", { n: 2 });
    await storage.put("outbox", "ada/1", { n: 1 });
    await storage.put("outbox", "bob/1", { n: 9 });
    await storage.put("meta", "ada/1", "meta");
    await sessionChatStorage("chat21.two", area).put("outbox", "ada/3", { n: 3 });

    expect(await storage.list("outbox", "ada/")).toEqual([
      { key: "ada/1", value: { n: 1 } },
      { key: "ada/2", value: { n: 2 } },
    ]);
    await storage.delete("outbox", "ada/1");
    await storage.delete("outbox", "ada/1");

    expect(await storage.get("outbox", "ada/1")).toBeUndefined();
    expect(await storage.get("meta", "ada/1")).toBe("meta");
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

  test("says when there are no more tokens by name", async () => {
    const source = createTokenSource(old, async () => ({ result: "unavailable" }));
    if (typeof source === "string") throw new Error("a renewable session has a function");

    await expect(source()).rejects.toMatchObject({ code: "unauthorized" });
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

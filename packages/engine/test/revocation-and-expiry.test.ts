import { Scopes } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { tokenOf, World } from "./world.ts";

describe("A session whose token expires", () => {
  it("is closed within a second, and no other", async () => {
    const world = await World.start();
    const now = world.clock.now();
    const short = await world.connect("ann", { expiresAt: now + 10_000 });
    const long = await world.connect("bob", { expiresAt: now + 20_000 });

    await world.clock.advance(9_000);
    expect(short.client.isOpen).toBe(true);
    await world.clock.advance(1_000);

    expect(short.client.closedBecause).toBe("expired");
    expect(long.client.isOpen).toBe(true);
  });
});

describe("A session whose token is renewed", () => {
  const attempt = { clientId: "ann-device", username: undefined, will: undefined, address: "127.0.0.1" };

  it("lasts as long as the new token, and has its rights", async () => {
    const world = await World.start();
    const now = world.clock.now();
    const { client } = await world.connect("ann", { expiresAt: now + 10_000, tokenId: "t-1", admin: true });
    const rights = { expiresAt: now + 20_000, tokenId: "t-2", issuedAt: 7, admin: false };
    await world.engine.renew(client.session, { ...attempt, password: tokenOf("ann", rights) });

    await world.clock.advance(19_000);
    expect(client.isOpen).toBe(true);
    expect(client.session).toMatchObject(rights);
    expect(world.engine.handleRevocation({ app: "tilechat", user: "ann", tokenId: "t-1" })).toBe(0);
    await world.clock.advance(1_000);
    expect(client.closedBecause).toBe("expired");
  });

  it("keeps its scopes: a narrower token needs a connection of its own", async () => {
    const scopes = new Scopes(["rabbitmq.read:*/*/apps.tilechat.users.ann.*"]);
    const identity = JSON.parse(tokenOf("ann"));
    const verify = async (token: string) =>
      token === "narrow" ? { ...identity, scopes } : JSON.parse(token);
    const world = await World.start({ tokens: { verify } });
    const { client } = await world.connect("ann");

    await expect(
      world.engine.renew(client.session, { ...attempt, password: "narrow" }),
    ).rejects.toMatchObject({ code: "forbidden" });
    expect(client.session.scopedTo).toBeUndefined();
  });

  it.each([
    ["another user", "forbidden", tokenOf("bob")],
    ["another app", "forbidden", tokenOf("ann", { app: "other" })],
    ["another client id", "forbidden", tokenOf("ann", { boundTo: "desk" })],
    ["nobody", "unauthorized", ""],
  ])("stays as it is for a token of %s", async (_, code, password) => {
    const world = await World.start();
    const { client } = await world.connect("ann", { expiresAt: world.clock.now() + 10_000 });
    const before = { ...client.session };

    await expect(world.engine.renew(client.session, { ...attempt, password })).rejects.toMatchObject({
      code,
    });
    expect(client.session).toEqual(before);
    await world.clock.advance(10_000);
    expect(client.closedBecause).toBe("expired");
  });
});

describe("A revocation", () => {
  it("while a client connects is not missed: the answer to its CONNECT does not stand", async () => {
    const revoked = new Set<string>();
    const tokens = {
      verify: async (token: string) => JSON.parse(token),
      isRevoked: ({ tokenId }: { readonly tokenId: string }) => revoked.has(tokenId),
    };
    const world = await World.start({ tokens });
    const attempt = { clientId: "a-1", username: undefined, will: undefined, address: "127.0.0.1" };
    const session = await world.engine.authenticate({
      ...attempt,
      password: tokenOf("ann", { tokenId: "t-1" }),
    });
    expect(world.engine.isAdmitted(session)).toBe(true);

    revoked.add("t-1");

    expect(world.engine.isAdmitted(session)).toBe(false);
    const { client } = await world.connect("ann", { tokenId: "t-2" });
    const password = tokenOf("ann", { tokenId: "t-1" });
    await expect(
      world.engine.renew(client.session, { ...attempt, clientId: "ann-device", password }),
    ).rejects.toMatchObject({ code: "token_revoked" });
  });

  it("of a token closes the sessions of its renewals, too", async () => {
    const world = await World.start();
    const renewed = await world.connect("ann", { clientId: "a-1", tokenId: "t-2", family: "t-1" });
    const other = await world.connect("ann", { clientId: "a-2", tokenId: "t-3", family: "t-0" });

    expect(world.engine.handleRevocation({ app: "tilechat", user: "ann", tokenId: "t-1" })).toBe(1);

    expect([renewed, other].map(({ client }) => client.isOpen)).toEqual([false, true]);
  });

  it("of one token closes the sessions of that token at once", async () => {
    const world = await World.start();
    const revoked = await world.connect("ann", { clientId: "a-1", tokenId: "t-1" });
    const same = await world.connect("ann", { clientId: "a-2", tokenId: "t-1" });
    const other = await world.connect("ann", { clientId: "a-3", tokenId: "t-2" });
    const stranger = await world.connect("bob", { tokenId: "t-1" });

    expect(world.engine.handleRevocation({ app: "tilechat", user: "ann", tokenId: "t-1" })).toBe(2);

    expect([revoked, same].map(({ client }) => client.closedBecause)).toEqual(["revoked", "revoked"]);
    expect([other, stranger].map(({ client }) => client.isOpen)).toEqual([true, true]);
  });

  it("of a user closes all that user's sessions, in that app alone", async () => {
    const world = await World.start();
    const ann = await world.connect("ann", { clientId: "a-1" });
    const elsewhere = await world.connect("ann", { clientId: "a-2", app: "other" });

    expect(world.engine.handleRevocation({ app: "tilechat", user: "ann" })).toBe(1);

    expect(ann.client.isOpen).toBe(false);
    expect(elsewhere.client.isOpen).toBe(true);
  });

  it("of everything before a moment spares what was issued at or after it", async () => {
    const world = await World.start();
    const before = await world.connect("ann", { clientId: "a-1", issuedAt: 999 });
    const at = await world.connect("ann", { clientId: "a-2", issuedAt: 1_000 });

    world.engine.handleRevocation({ app: "tilechat", user: "ann", issuedBefore: 1_000 });

    expect([before, at].map(({ client }) => client.isOpen)).toEqual([false, true]);
  });

  it("of somebody who is not connected closes nothing", async () => {
    const world = await World.start();
    const [ann] = await world.people("ann");

    expect(world.engine.handleRevocation({ app: "tilechat", user: "bob" })).toBe(0);
    expect(ann.client.isOpen).toBe(true);
  });
});

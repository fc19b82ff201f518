import { ChatError } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { tokenOf, World } from "./world.ts";

const payload = new TextEncoder().encode('{"disconnected":true}');

describe("A client that connects", () => {
  it("is who its token says it is", async () => {
    const world = await World.start();

    const { client } = await world.connect("ann", {
      admin: true,
      tokenId: "t-1",
      issuedAt: 5,
      expiresAt: 9e15,
    });

    expect(client.session).toEqual({
      app: "tilechat",
      user: "ann",
      clientId: "ann-device",
      admin: true,
      tokenId: "t-1",
      issuedAt: 5,
      expiresAt: 9e15,
    });
  });

  it("may leave a will that is its own presence", async () => {
    const world = await World.start();

    const ann = await world.connect("ann", {
      will: { topic: "apps/tilechat/users/ann/presence/ann-device", payload },
    });

    expect(ann.client.isOpen).toBe(true);
  });

  it.each([
    "apps/tilechat/outgoing/users/bob/messages/ann/outgoing",
    "apps/tilechat/outgoing/users/ann/messages/bob/outgoing",
    "apps/tilechat/users/bob/presence/ann-device",
    "apps/other/users/ann/presence/ann-device",
    "apps/tilechat/users/ann/messages/bob/clientadded",
    "anything",
  ])("may not leave a will on %s", async (topic) => {
    const world = await World.start();

    await expect(world.connect("ann", { will: { topic, payload } })).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(world.edge.clients).toEqual([]);
  });

  it.each(["a/b", "a.b", "$a", "#", "+", "a b", "x".repeat(65), "ö".repeat(128)])(
    "needs no alphabet for its client id, and hears answers as every device: %j",
    async (clientId) => {
      const world = await World.start();
      const ann = await world.connect("ann", { clientId });

      await ann.send("bob", { text: "hi", group: {} });

      expect(ann.client.isOpen).toBe(true);
      expect(ann.frames.map(({ topic }) => topic)).toEqual(["apps/tilechat/users/ann/devices/all/answer"]);
    },
  );

  it.each(["", "x".repeat(257), "ö".repeat(129), "a\u0000"])(
    "is refused with the client id %j",
    async (clientId) => {
      const world = await World.start();

      await expect(world.connect("ann", { clientId })).rejects.toMatchObject({ code: "invalid_id" });
    },
  );

  it("is refused with another client id than its token's", async () => {
    const world = await World.start();

    await expect(world.connect("ann", { clientId: "c-1", boundTo: "c-2" })).rejects.toMatchObject({
      code: "forbidden",
    });
    expect((await world.connect("ann", { clientId: "c-1", boundTo: "c-1" })).client.isOpen).toBe(true);
  });

  it.each([undefined, ""])(
    "is refused with the password %j, before a token is looked at",
    async (password) => {
      const world = await World.start({ tokens: { verify: () => Promise.reject(new Error("asked")) } });

      await expect(world.edge.connect({ clientId: "c-1", password })).rejects.toMatchObject({
        code: "unauthorized",
      });
    },
  );

  it.each(["unauthorized", "token_expired", "token_revoked", "store_unavailable"] as const)(
    "is refused as the verifier says: %s",
    async (code) => {
      const world = await World.start({ tokens: { verify: () => Promise.reject(new ChatError(code)) } });

      await expect(world.connect("ann")).rejects.toMatchObject({ code });
    },
  );

  it("is refused as `internal` when the verifier fails in a way of its own", async () => {
    const world = await World.start({ tokens: { verify: () => Promise.reject(new TypeError("bug")) } });

    await expect(world.connect("ann")).rejects.toMatchObject({ code: "internal" });
  });

  it.each([
    { user: "+" },
    { user: "#" },
    { user: "" },
    { user: "a/b" },
    { user: "a.b" },
    { app: "+" },
    { app: "a/users/x" },
  ])("is refused with the identity %j, whoever vouches for it", async (identity) => {
    const world = await World.start();
    const password = tokenOf(identity.user ?? "ann", { app: identity.app ?? "tilechat" });

    await expect(world.edge.connect({ clientId: "c-1", password })).rejects.toMatchObject({
      code: "invalid_id",
    });
  });
});

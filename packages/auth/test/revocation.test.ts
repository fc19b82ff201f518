import { ChatError } from "@chat21/protocol";
import { createMemoryStore } from "@chat21/testkit";
import { expect, test } from "vitest";
import { createVerifier } from "../src/index.ts";
import type { RevocationRecord } from "../src/revocation-store.ts";
import { fixture, sign, start } from "./fixtures.ts";

const A = { app: "tilechat", user: "A" };

function setUp() {
  const { tokens, clock } = fixture();
  const { revocations } = createMemoryStore();
  const verifier = createVerifier({ tokens, revocations, clock });
  const elsewhere = createVerifier({ tokens, revocations, clock });
  return { tokens, clock, revocations, verifier, elsewhere };
}

test("a revoked token is refused at once, other tokens of the user are not", async () => {
  const { tokens, verifier } = setUp();
  const [lost, kept] = [tokens.issue(A), tokens.issue(A)];
  await verifier.verify(lost.token);

  await verifier.revoke({ ...A, tokenId: lost.tokenId, expiresAt: lost.expiresAt });

  await expect(verifier.verify(lost.token)).rejects.toMatchObject({ code: "token_revoked" });
  await expect(verifier.verify(kept.token)).resolves.toMatchObject({ user: "A" });
});

test("revoking a token ends all that were renewed from it, and nobody else's", async () => {
  const { tokens, verifier } = setUp();
  const first = tokens.issue(A);
  const [renewed, other, stranger] = [
    tokens.issue({ ...A, family: first.tokenId }),
    tokens.issue({ ...A, family: "another" }),
    tokens.issue({ ...A, user: "B", family: first.tokenId }),
  ];
  const identity = await verifier.verify(renewed.token);
  expect(verifier.isRevoked(identity)).toBe(false);

  await verifier.revoke({ ...A, tokenId: first.tokenId });

  expect(verifier.isRevoked(identity)).toBe(true);
  await expect(verifier.verify(renewed.token)).rejects.toMatchObject({ code: "token_revoked" });
  for (const { token } of [other, stranger]) await expect(verifier.verify(token)).resolves.toBeDefined();
});

test("a token of an issuer who means something else by `fam` is what it was", async () => {
  const { verifier } = setUp();
  const token = sign({ sub: "A", app_id: "tilechat", exp: start / 1_000 + 60, jti: "t", fam: 7 });

  await expect(verifier.verify(token)).resolves.toMatchObject({ tokenId: "t", family: undefined });
});

test("a revocation made elsewhere has its effect within five seconds", async () => {
  const { tokens, clock, verifier, elsewhere } = setUp();
  const { token, tokenId } = tokens.issue(A);
  await verifier.verify(token);

  await elsewhere.revoke({ ...A, tokenId });
  await clock.advance(5_001);

  await expect(verifier.verify(token)).rejects.toMatchObject({ code: "token_revoked" });
});

test("revoking all tokens until now spares other users, other apps and later tokens", async () => {
  const { tokens, verifier } = setUp();
  const mine = tokens.issue(A);
  const others = [tokens.issue({ ...A, user: "B" }), tokens.issue({ ...A, app: "other" })];

  await verifier.revoke(A);
  const next = tokens.issue({ ...A, issuedAt: verifier.nextIssueAt(A.app, A.user) });

  await expect(verifier.verify(mine.token)).rejects.toMatchObject({ code: "token_revoked" });
  for (const { token } of [...others, next]) await expect(verifier.verify(token)).resolves.toBeDefined();
});

test("a token without an issue time is revoked by a revocation of all earlier tokens", async () => {
  const { verifier } = setUp();
  const token = sign({ sub: "A", app_id: "tilechat", exp: start / 1_000 + 60, tiledesk_api_roles: "admin" });
  await verifier.verify(token);

  await verifier.revoke(A);

  await expect(verifier.verify(token)).rejects.toMatchObject({ code: "token_revoked" });
});

test("an expired token is refused although it was verified before", async () => {
  const { tokens, clock, verifier } = setUp();
  const { token } = tokens.issue({ ...A, ttlMs: 2_000 });
  await verifier.verify(token);

  await clock.advance(2_000);

  await expect(verifier.verify(token)).rejects.toMatchObject({ code: "token_expired" });
});

test("listeners hear of each revocation once, from this process and from others", async () => {
  const { clock, verifier, elsewhere } = setUp();
  const heard: RevocationRecord[] = [];
  const forget = verifier.onRevocation((record) => heard.push(record));
  await verifier.start();

  await verifier.revoke({ ...A, tokenId: "T1" });
  await elsewhere.revoke({ ...A, tokenId: "T2" });
  await clock.advance(10_000);
  forget();
  await verifier.revoke({ ...A, tokenId: "T3" });
  verifier.stop();

  expect(heard.map(({ tokenId }) => tokenId)).toEqual(["T1", "T2"]);
});

test("expired records are dropped, and their tokens have expired by then", async () => {
  const { tokens, clock, verifier, revocations } = setUp();
  const { token, tokenId, expiresAt } = tokens.issue(A);
  await verifier.revoke({ ...A, tokenId, expiresAt });

  await clock.advance(3_600_001);

  expect(await revocations.list(clock.now())).toEqual([]);
  await expect(verifier.verify(token)).rejects.toMatchObject({ code: "token_expired" });
});

test("while the store cannot be read, tokens pass for five seconds and then no more", async () => {
  const { tokens, clock } = fixture();
  let isDown = false;
  const gate = async (point: string) => {
    if (isDown && point.startsWith("revocations.")) throw new ChatError("store_unavailable");
  };
  const verifier = createVerifier({ tokens, clock, revocations: createMemoryStore({ gate }).revocations });
  const { token } = tokens.issue(A);
  await verifier.verify(token);

  isDown = true;
  await clock.advance(5_000);
  await expect(verifier.verify(token)).resolves.toBeDefined();
  await clock.advance(1);
  await expect(verifier.verify(token)).rejects.toMatchObject({ code: "store_unavailable" });

  isDown = false;
  await expect(verifier.verify(token)).resolves.toBeDefined();
});

test("no more tokens than `cacheSize` are kept in memory", async () => {
  const { tokens, clock } = fixture();
  let verified = 0;
  const counting = {
    verify(token: string) {
      verified++;
      return tokens.verify(token);
    },
  };
  const verifier = createVerifier({
    tokens: counting,
    revocations: createMemoryStore().revocations,
    clock,
    cacheSize: 2,
  });
  const [a, b, c] = ["a", "b", "c"].map((user) => tokens.issue({ ...A, user }).token) as [
    string,
    string,
    string,
  ];

  for (const token of [a, b, a, c, a, b]) await verifier.verify(token);

  expect(verified).toBe(4);
});

test("a revocation from before the clock was set back by a day leaves its user a way to sign in", async () => {
  const { tokens, clock, verifier, elsewhere } = setUp();
  const before = tokens.issue(A);
  clock.step(24 * 60 * 60_000);
  const ahead = tokens.issue(A);
  await verifier.verify(ahead.token);
  await verifier.revoke(A);

  clock.step(-24 * 60 * 60_000);
  await clock.advance(10_000);
  for (const process of [verifier, elsewhere]) {
    await expect(process.verify(before.token)).rejects.toMatchObject({ code: "token_revoked" });
    const next = tokens.issue({ ...A, issuedAt: process.nextIssueAt(A.app, A.user) });
    await expect(process.verify(next.token)).resolves.toMatchObject({ user: "A" });
    await expect(process.verify(ahead.token)).rejects.toMatchObject({ code: "unauthorized" });
  }
});

test.each([
  ["within the leeway", 30_000],
  ["a day", 24 * 60 * 60_000],
])(
  "a token that was used %s before its issue time is revoked with the others, for good",
  async (_, aheadMs) => {
    const { tokens, clock, verifier, elsewhere } = setUp();
    const ahead = tokens.issue({
      ...A,
      profile: "compat",
      ttlMs: 3 * 24 * 60 * 60_000,
      issuedAt: start + aheadMs,
    });
    const ended: (string | null)[] = [];
    verifier.onRevocation(({ tokenId }) => ended.push(tokenId));
    await verifier.verify(ahead.token);

    await verifier.revoke(A);

    expect(ended).toEqual([null, ahead.tokenId]);
    await clock.advance(aheadMs + 10_000);
    for (const process of [verifier, elsewhere])
      await expect(process.verify(ahead.token)).rejects.toMatchObject({ code: "token_revoked" });
  },
);

test("a token that was used before its issue time is revoked by the process that saw it, for all", async () => {
  const { tokens, clock, verifier, elsewhere } = setUp();
  const ahead = tokens.issue({ ...A, issuedAt: start + 30_000 });
  await elsewhere.verify(ahead.token);

  await verifier.revoke(A);
  await clock.advance(5_001);

  await expect(elsewhere.verify(ahead.token)).rejects.toMatchObject({ code: "token_revoked" });
  await clock.advance(5_001);
  await expect(verifier.verify(ahead.token)).rejects.toMatchObject({ code: "token_revoked" });
});

test("a new token stays, although another process saw it before it heard of the revocation", async () => {
  const { tokens, clock, verifier, elsewhere } = setUp();
  await verifier.revoke(A);
  const next = tokens.issue({ ...A, issuedAt: verifier.nextIssueAt(A.app, A.user) });
  await elsewhere.verify(next.token);

  await clock.advance(5_001);

  for (const process of [elsewhere, verifier])
    await expect(process.verify(next.token)).resolves.toMatchObject({ user: "A" });
});

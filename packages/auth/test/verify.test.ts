import { ChatError, isId, systemUser } from "@chat21/protocol";
import fc from "fast-check";
import jwt from "jsonwebtoken";
import { expect, test } from "vitest";
import { encode, es256Key, fixture, secret, sign, start } from "./fixtures.ts";

const seconds = start / 1_000;
const claims = { sub: "USER1", app_id: "tilechat", iat: seconds, exp: seconds + 60 };

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ChatError) return thrown.code;
    throw thrown;
  }
  return "accepted";
}

test("a token of an existing issuer is verified with the raw bytes of the secret", () => {
  const { tokens } = fixture();

  const identity = tokens.verify(
    sign({ ...claims, jti: "T1", client_id: "USER1", aud: ["rabbitmq", "USER1"] }),
  );

  expect(identity).toMatchObject({
    app: "tilechat",
    user: "USER1",
    admin: false,
    clientId: null,
    tokenId: "T1",
    issuedAt: start,
    expiresAt: start + 60_000,
    profile: "compat",
  });
});

test("a token without exp is refused, unless a setting accepts it: then it never expires", () => {
  const token = sign({ sub: "100-APIADMIN", app_id: "tilechat", tiledesk_api_roles: "admin" });
  const { tokens } = fixture({ secret, acceptWithoutExp: true });

  const identity = tokens.verify(token);

  expect(refusal(() => fixture().tokens.verify(token))).toBe("unauthorized");
  expect(identity).toMatchObject({ admin: true, issuedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER });
});

test("a token expires at its second", async () => {
  const { tokens, clock } = fixture();
  const token = sign(claims);

  await clock.advance(59_999);
  expect(tokens.verify(token).user).toBe("USER1");

  await clock.advance(1);
  expect(refusal(() => tokens.verify(token))).toBe("token_expired");
});

test.each([
  ["no token", ""],
  ["noise", "not.a.token"],
  ["two segments", sign(claims).split(".").slice(0, 2).join(".")],
  ["another secret", sign(claims, undefined, "other")],
  ["alg none without a signature", `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`],
  ["alg none with a signature", sign(claims, { alg: "none", typ: "JWT" })],
  ["another HMAC", sign(claims, { alg: "HS512", typ: "JWT" })],
  ["a header that asks for an extension", sign(claims, { alg: "HS256", typ: "JWT", crit: ["exp"] })],
  ["an audience that is not ours", sign({ ...claims, aud: ["else"] })],
  ["no user", sign({ ...claims, sub: undefined })],
  ["no app", sign({ ...claims, app_id: undefined })],
  ["a user id that is another's on the wire", sign({ ...claims, sub: "auth0^7C5f7c" })],
  ["a user id that is empty", sign({ ...claims, sub: "" })],
  ["a user id that is no whole number", sign({ ...claims, sub: 1.5 })],
  ["an app id with a slash", sign({ ...claims, app_id: "a/b" })],
  ["system as a user", sign({ ...claims, sub: "system" })],
  ["a time that is no number", sign({ ...claims, exp: "soon" })],
  ["a time of use that has not come", sign({ ...claims, nbf: seconds + 61 })],
  ["a strict profile without a client id", sign({ ...claims, profile: "strict" })],
  ["a strict profile without exp", sign({ ...claims, profile: "strict", client_id: "c", exp: undefined })],
  [
    "a strict profile of two hours",
    sign({ ...claims, profile: "strict", client_id: "c", exp: seconds + 7_200 }),
  ],
  ["an unknown profile", sign({ ...claims, profile: "open" })],
  ["more than 8 kB", sign({ ...claims, more: "x".repeat(9_000) })],
  ["a payload that is no object", sign("USER1" as unknown as object)],
])("%s is unauthorized", (_title, token) => {
  const { tokens } = fixture();

  expect(refusal(() => tokens.verify(token))).toBe("unauthorized");
});

test("the public key of ES256 cannot be used as an HMAC secret", () => {
  const key = es256Key("k1");
  const { tokens } = fixture({ es256: [key] });

  expect(
    refusal(() => tokens.verify(sign(claims, { alg: "HS256", typ: "JWT", kid: "k1" }, key.publicKey))),
  ).toBe("unauthorized");
});

test("an RSA token is refused with any key", () => {
  const key = es256Key("k1");
  const { tokens } = fixture({ secret, es256: [key] });

  expect(refusal(() => tokens.verify(sign(claims, { alg: "RS256", typ: "JWT", kid: "k1" })))).toBe(
    "unauthorized",
  );
});

test("keys rotate: the newest signs, retired ones still verify, unknown ones do not", () => {
  const [older, newer] = [es256Key("k1"), es256Key("k2")];
  const before = fixture({ es256: [older] }).tokens.issue({ app: "tilechat", user: "USER1" });
  const { tokens } = fixture({ secret, es256: [newer, { kid: "k1", publicKey: older.publicKey }] });
  const foreign = fixture({ es256: [es256Key("k1")] }).tokens.issue({ app: "tilechat", user: "USER1" });

  const after = tokens.issue({ app: "tilechat", user: "USER1" });

  expect(jwt.decode(after.token, { complete: true })?.header).toMatchObject({ alg: "ES256", kid: "k2" });
  expect(tokens.verify(after.token).user).toBe("USER1");
  expect(tokens.verify(before.token).user).toBe("USER1");
  expect(tokens.verify(sign(claims)).user).toBe("USER1");
  expect(refusal(() => tokens.verify(foreign.token))).toBe("unauthorized");
});

test("the key set lists public halves only, and nothing for a secret", () => {
  const { tokens } = fixture({ secret, es256: [es256Key("k2"), es256Key("k1")] });

  expect(tokens.jwks.keys.map(({ kid, alg }) => [kid, alg])).toEqual([
    ["k2", "ES256"],
    ["k1", "ES256"],
  ]);
  expect(JSON.stringify(tokens.jwks)).not.toContain('"d"');
  expect(fixture().tokens.jwks).toEqual({ keys: [] });
});

test("a JSON Web Key is as good as PEM text", () => {
  const privateKey = {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  };
  const { tokens } = fixture({ es256: [{ kid: "rfc7515", privateKey }] });

  expect(tokens.verify(tokens.issue({ app: "tilechat", user: "USER1" }).token).user).toBe("USER1");
});

test.each([
  ["neither a secret nor a key", {}, /neither/],
  ["an empty secret", { secret: "" }, /empty/],
  ["the same kid twice", { es256: [es256Key("a"), es256Key("a")] }, /same kid/],
  ["a newest key that cannot sign", { es256: [{ kid: "a", publicKey: es256Key("a").publicKey }] }, /private/],
  ["noise as a key", { es256: [{ kid: "a", privateKey: "noise" }] }, /ES256 key a/],
  [
    "halves that do not match",
    { es256: [{ ...es256Key("a"), publicKey: es256Key("b").publicKey }] },
    /belong/,
  ],
])("%s is refused when the tokens are created", (_title, keys, message) => {
  expect(() => fixture(keys)).toThrowError(message);
});

test("any text makes verification succeed or fail with a code", () => {
  const { tokens } = fixture();
  const segment = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString("base64url")),
    fc.constant(encode({ alg: "HS256", typ: "JWT" })),
  );

  fc.assert(
    fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
      expect(refusal(() => tokens.verify(segments.join(".")))).toBe("unauthorized");
    }),
    { numRuns: 5_000 },
  );
});

test("verification gives the facts of every issued token", () => {
  const { tokens } = fixture();
  const id = fc
    .stringMatching(/^[A-Za-z0-9_@:=~!,;()&'-]{1,64}$/)
    .filter((text) => isId(text) && text !== systemUser);

  fc.assert(
    fc.property(id, id, fc.constantFrom("strict", "compat"), fc.boolean(), (app, user, profile, admin) => {
      const issued = tokens.issue({ app, user, profile, admin });
      const { tokenId, issuedAt, expiresAt } = issued;
      expect(tokens.verify(issued.token)).toMatchObject({
        app,
        user,
        admin,
        profile,
        tokenId,
        issuedAt,
        expiresAt,
      });
    }),
  );
});

test("a token may begin up to 60 s ahead of this machine's clock; before, it is told when to come again", async () => {
  const { tokens, clock } = fixture();
  const token = sign({ ...claims, nbf: seconds + 90, exp: seconds + 600 });

  expect(() => tokens.verify(token)).toThrow(
    expect.objectContaining({ code: "unauthorized", retryAfterMs: 30_000 }),
  );
  await clock.advance(30_000);

  expect(tokens.verify(token).user).toBe("USER1");
});

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ChatError } from "@chat21/protocol";
import { createManualClock } from "@chat21/testkit";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  createIdentityProvider,
  createTokens,
  createVerifier,
  type IdentityProviderOptions,
} from "../src/index.ts";
import { secret, sign, start } from "./fixtures.ts";

type Algorithm = "ES256" | "EdDSA" | "PS256" | "RS256";
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const seconds = start / 1_000;

/** An identity provider on a port of this machine, with real keys, and our verifier of its tokens. */
async function world(given: Partial<IdentityProviderOptions> = {}) {
  const keys = new Map<string, Awaited<ReturnType<typeof generateKeyPair>> & { algorithm: Algorithm }>();
  const asked: string[] = [];
  let answer: Answer | null = null;
  const server = createServer(async (request, response) => {
    asked.push(request.url ?? "");
    if (answer !== null) return answer(request, response);
    const jwks = await Promise.all(
      [...keys].map(async ([kid, { publicKey, algorithm }]) => ({
        ...{ ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" },
      })),
    );
    const isConfiguration = request.url === "/tenant/.well-known/openid-configuration";
    response.end(JSON.stringify(isConfiguration ? { issuer, jwks_uri: `${origin}/keys` } : { keys: jwks }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `${origin}/tenant/`;
  const clock = createManualClock(start);
  const addKey = async (kid: string, algorithm: Algorithm = "RS256") => {
    keys.set(kid, { ...(await generateKeyPair(algorithm, { extractable: true })), algorithm });
  };
  await addKey("first");
  const lines: string[] = [];
  const keep = (_fields: object | string, text = "") => void lines.push(text);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const provider = createIdentityProvider({
    ...{ issuer, audiences: ["our-client"], app: "shop", clock, fetch, log },
    ...given,
  });
  const tokens = createTokens({ secret, clock, newId: () => "id" });
  const verifier = createVerifier({
    ...{ tokens, provider, clock },
    revocations: { add: async () => undefined, list: async () => [] },
  });
  onTestFinished(() => verifier.stop());

  return {
    ...{ clock, issuer, lines, asked, keys, addKey, verifier, tokens },
    /** From now on the provider answers so; `null`: as it should. */
    answersWith: (next: Answer | null) => {
      answer = next;
    },
    token: (claims: object = {}, header: Partial<JWTHeaderParameters> = {}) => {
      const kid = header.kid ?? "first";
      const { privateKey, algorithm } = keys.get(kid) ?? [...keys.values()][0] ?? fail();
      return new SignJWT({
        ...{ iss: issuer, aud: "our-client", sub: "auth0|5f7c", iat: seconds, exp: seconds + 600 },
        ...claims,
      })
        .setProtectedHeader({ alg: algorithm, kid, ...header })
        .sign(privateKey);
    },
    /** The code with which a token is refused, and the rule that the operator is told. */
    async refusal(token: string) {
      try {
        await verifier.verify(token);
      } catch (thrown) {
        if (thrown instanceof ChatError) {
          return {
            code: thrown.code,
            rule: (thrown.cause as Error)?.message,
            retryAfterMs: thrown.retryAfterMs,
          };
        }
        throw thrown;
      }
      return "accepted";
    },
  };
}

function fail(): never {
  throw new Error("there is no key");
}

describe("a token of an identity provider", () => {
  test.each(["RS256", "PS256", "ES256", "EdDSA"] as const)(
    "counts when it is signed with %s",
    async (algorithm) => {
      const { verifier, addKey, token } = await world();
      await addKey("other", algorithm);
      await verifier.start();

      expect(await verifier.verify(await token({ jti: "T1" }, { kid: "other" }))).toMatchObject({
        ...{ app: "shop", user: "auth0^7C5f7c", admin: false, clientId: null, tokenId: "T1" },
        ...{ issuedAt: start, expiresAt: start + 600_000, profile: "compat" },
      });
    },
  );

  test("is an ordinary user's, whatever else it claims", async () => {
    const { verifier, token } = await world();
    const claims = {
      tiledesk_api_roles: "admin",
      app_id: "other",
      scope: "rabbitmq.read:*/*/*",
      client_id: "c",
    };

    const verified = await verifier.verify(await token(claims));

    expect(verified).toMatchObject({ app: "shop", admin: false, clientId: null });
    expect(verified.claims).toEqual({
      ...{ iss: expect.any(String), aud: "our-client", sub: "auth0|5f7c", app_id: "shop" },
      ...{ iat: seconds, exp: seconds + 600 },
    });
  });

  test.each([
    ["of another issuer", { iss: "https://other.example/" }, /./],
    ["of another audience", { aud: "another-client" }, /aud/],
    ["without an audience", { aud: undefined }, /aud/],
    ["without exp", { exp: undefined }, /exp/],
    ["of nobody", { sub: undefined }, /sub is no user id/],
    ["of the system user", { sub: "system" }, /sub is no user id/],
    ["whose id is a number", { sub: 5 }, /sub/],
    ["whose id is too long", { sub: "x".repeat(500) }, /sub is no user id/],
  ])("is refused %s", async (_what, claims, rule) => {
    const { refusal, token } = await world();

    expect(await refusal(await token(claims))).toMatchObject({
      code: "unauthorized",
      rule: expect.stringMatching(rule),
    });
  });

  test("ends with its exp, and may begin a minute before its nbf", async () => {
    const { refusal, token } = await world();

    expect(await refusal(await token({ exp: seconds }))).toMatchObject({ code: "token_expired" });
    expect(await refusal(await token({ nbf: seconds + 60 }))).toBe("accepted");
    expect(await refusal(await token({ nbf: seconds + 61 }))).toMatchObject({
      ...{ code: "unauthorized", retryAfterMs: 1_000 },
    });
  });

  test("cannot be forged with the public key as a secret, without a signature, or with a key of its own", async () => {
    const { refusal, issuer, keys } = await world();
    const claims = { iss: issuer, aud: "our-client", sub: "ann", app_id: "shop", exp: seconds + 60 };
    const publicKey = JSON.stringify(await exportJWK(keys.get("first")?.publicKey ?? fail()));
    const own = await generateKeyPair("RS256", { extractable: true });
    const header = { alg: "RS256", kid: "first", jwk: await exportJWK(own.publicKey) };

    const forged = [
      sign(claims, { alg: "HS256", kid: "first" }, publicKey),
      sign(claims, { alg: "none" }, "").replace(/[^.]*$/, ""),
      await new SignJWT(claims).setProtectedHeader(header).sign(own.privateKey),
    ];

    for (const token of forged) expect(await refusal(token)).toMatchObject({ code: "unauthorized" });
  });

  test("names its user by another claim where that is set; an e-mail address must be verified", async () => {
    const { refusal, verifier, token } = await world({ userClaim: "email" });
    const email = "ann@example.com";

    expect(await verifier.verify(await token({ email, email_verified: true }))).toMatchObject({
      user: "ann@example^2Ecom",
    });
    expect(await refusal(await token({ email }))).toMatchObject({
      rule: "email is not verified by the identity provider",
    });
  });

  test("does not take our own tokens' place", async () => {
    const { verifier, tokens } = await world();
    const { token } = tokens.issue({ app: "shop", user: "bob" });

    expect(await verifier.verify(token)).toMatchObject({ user: "bob", profile: "strict" });
  });
});

describe("the keys of an identity provider", () => {
  test("are read for a key that is not known, once in 30 s, and the client is told when to try again", async () => {
    const { verifier, asked, addKey, token, refusal, clock } = await world();
    await verifier.start();
    expect(asked).toEqual(["/tenant/.well-known/openid-configuration", "/keys"]);
    await addKey("second");
    await clock.advance(20_000);
    for (let i = 0; i < 20; i++) {
      const kid = i === 0 ? "second" : `unknown-${i}`;
      expect(await refusal(await token({ jti: `${i}` }, { kid }))).toEqual({
        ...{ code: "unauthorized", rule: "its kid names no key of the identity provider" },
        retryAfterMs: 10_000,
      });
    }
    expect(asked).toHaveLength(2);

    // The wall clock decides nothing.
    clock.step(-3_600_000);
    await clock.advance(10_000);
    const later = { exp: seconds + 6_000 };
    expect(await refusal(await token(later, { kid: "second" }))).toBe("accepted");
    expect(await refusal(await token(later, { kid: "unknown" }))).toMatchObject({ retryAfterMs: 30_000 });
    expect(asked).toHaveLength(4);
  });

  test("that are withdrawn count no more after the next reading, for tokens that were verified, too", async () => {
    const { verifier, keys, addKey, token, refusal, clock } = await world();
    await verifier.start();
    const old = await token({ exp: seconds + 6_000 });
    expect(await refusal(old)).toBe("accepted");
    keys.clear();
    await addKey("second");
    await clock.advance(600_000);

    await expect.poll(() => refusal(old)).toMatchObject({ code: "unauthorized" });
  });

  test("stay known while the provider is away", async () => {
    const { verifier, token, refusal, clock, answersWith, lines } = await world();
    await verifier.start();
    answersWith((_request, response) => response.writeHead(503).end());
    await clock.advance(600_000);

    await expect.poll(() => lines.join()).toContain("could not be read");
    expect(await refusal(await token({ exp: seconds + 6_000 }))).toBe("accepted");
  });

  test.each([
    ["a server error", (_request, response) => response.writeHead(500).end()],
    ["what is no JSON", (_request, response) => response.end("<html>")],
    ["a redirection", (_request, response) => response.writeHead(302, { location: "/keys" }).end()],
    ["what never ends", (_request, response) => void response.write(Buffer.alloc(300_000, " "))],
    ["nothing", (request) => request.socket.destroy()],
    [
      "another issuer's configuration",
      (_request, response) => response.end('{"issuer":"https://other.example"}'),
    ],
    ["what is no key set", (_request, response) => response.end('{"keys":1}')],
  ] as [string, Answer][])(
    "that come as %s let a client try again, and the provider rest",
    async (_what, answer) => {
      const { token, refusal, answersWith, asked, verifier, clock } = await world();
      answersWith(answer);
      const isTold = { code: "timeout", retryAfterMs: 5_000 };

      for (let i = 0; i < 20; i++) expect(await refusal(await token({ jti: `${i}` }))).toMatchObject(isTold);
      expect(asked).toHaveLength(1);

      answersWith(null);
      await clock.advance(5_000);
      expect(await verifier.verify(await token())).toMatchObject({ app: "shop" });
      expect(asked).toHaveLength(3);
    },
  );

  test("that are bad do not take the place of those that are known, and are not asked for at once again", async () => {
    const { verifier, token, refusal, clock, answersWith, asked } = await world();
    await verifier.start();
    await clock.advance(30_000);
    answersWith((_request, response) => response.end("<html>"));
    for (let i = 0; i < 20; i++) {
      const unknown = await token({ jti: `${i}` }, { kid: "unknown" });
      expect(await refusal(unknown)).toMatchObject({ code: "timeout" });
    }
    expect(asked).toHaveLength(3);
    expect(await refusal(await token())).toBe("accepted");
  });

  test("of a provider that hangs are waited for 3 s", async () => {
    const { token, refusal, answersWith } = await world();
    answersWith(() => undefined);

    expect(await refusal(await token())).toMatchObject({ code: "timeout" });
  });
});

import { createMemoryStore } from "@chat21/testkit";
import { expect, test } from "vitest";
import { createVerifier } from "../src/index.ts";
import { encode, fixture, sign, start } from "./fixtures.ts";

const seconds = start / 1_000;
const claims = { sub: "USER1", app_id: "tilechat", iat: seconds, exp: seconds + 60 };

function setUp() {
  const { tokens, clock } = fixture();
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const warn = (fields: object, message: string) => void lines.push({ fields, message });
  const log = { debug() {}, info() {}, error() {}, warn };
  const verifier = createVerifier({ tokens, clock, log, revocations: createMemoryStore().revocations });
  return { tokens, clock, lines, verifier };
}

test.each([
  ["signed with another key", sign(claims, undefined, "another"), "invalid signature"],
  ["of another audience", sign({ ...claims, aud: "elsewhere" }), "aud does not name rabbitmq"],
  ["without a user", sign({ ...claims, sub: "" }), "sub or app_id is no id"],
  [
    "of an unknown key",
    `${encode({ alg: "ES256", kid: "k" })}.e30.x`,
    "its kid names no key that is known here",
  ],
  ["that is none", "hush-hush", "it is not a JSON Web Token"],
  ["with a broken payload", `${encode({ alg: "HS256", typ: "JWT" })}.aHVzaA.x`, "it is not a JSON Web Token"],
  ["without an end", sign({ ...claims, exp: undefined }), "exp is missing, and such a token would never end"],
  ["of yesterday", sign({ ...claims, exp: seconds - 1 }), "exp is in the past of this machine's clock"],
  [
    "of tomorrow",
    sign({ ...claims, nbf: seconds + 100 }),
    "nbf is more than 60 s ahead of this machine's clock",
  ],
])("a token %s gets a line with the reason, and nothing of the token", async (_what, token, reason) => {
  const { lines, verifier } = setUp();

  await expect(verifier.verify(token)).rejects.toThrow();

  expect(lines).toMatchObject([{ fields: { reason }, message: "a token was refused" }]);
  expect(JSON.stringify(lines)).not.toMatch(/hush|USER1|elsewhere/);
});

test("refusals get at most ten lines a minute, and the next line counts the others", async () => {
  const { clock, lines, verifier } = setUp();
  const refused = () => verifier.verify("x").catch(() => {});

  for (let i = 0; i < 25; i++) await refused();
  await clock.advance(60_000);
  await refused();

  expect(lines).toHaveLength(11);
  expect(lines.at(-1)?.fields).toMatchObject({ refusedWithoutLine: 15 });
});

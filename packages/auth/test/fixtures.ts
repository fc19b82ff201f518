import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { createManualClock } from "@chat21/testkit";
import { createTokens, type Es256Key, type KeySetOptions, type Tokens } from "../src/index.ts";

export const secret = "tokenKey";

/** The moment at which the manual clock starts, milliseconds. */
export const start = 1_700_000_000_000;

/** Tokens with the secret of existing deployments, and their manual clock. */
export function fixture(keys: KeySetOptions & { readonly acceptWithoutExp?: boolean } = { secret }): {
  readonly tokens: Tokens;
  readonly clock: ReturnType<typeof createManualClock>;
} {
  const clock = createManualClock(start);
  return { clock, tokens: createTokens({ ...keys, clock, newId: randomUUID }) };
}

/** A new P-256 key as PEM text. */
export function es256Key(
  kid: string,
): Es256Key & { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { kid, privateKey, publicKey };
}

/** A segment of a token. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** The payload of a token, without any check. */
export function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

/** The header of a token, without any check. */
export function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
}

/** A token made without any code of ours. */
export function sign(
  payload: object,
  header: object = { alg: "HS256", typ: "JWT" },
  key: string = secret,
): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

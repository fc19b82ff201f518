import { randomBytes } from "node:crypto";
import { codeOf, dataPaths, readPrivateFile, writePrivateFile } from "./data-folder.ts";
import { OperatorError } from "./operator-error.ts";

/** Fewest bytes of an HS256 secret that nobody finds by trying (RFC 7518, 3.2). */
const strongSecretBytes = 32;

/** Secrets that everybody knows. */
const publicSecrets = new Set([
  "tokenKey",
  "tokenkey",
  "secret",
  "changeme",
  "change-me",
  "password",
  "chat21",
]);

/** Why a secret should be changed; `undefined` when it is as good as they get. */
export function secretWeakness(secret: string): string | undefined {
  if (publicSecrets.has(secret))
    return "it is a default that everybody knows: anybody can sign in as anybody";
  const length = Buffer.byteLength(secret);
  if (length < strongSecretBytes)
    return `it has ${length} bytes, and ${strongSecretBytes} random ones are needed`;
  return new Set(secret).size < 8 ? "it has hardly any different characters" : undefined;
}

/** The secret in a private file, made by `generate` at first use (mode 0600). */
export function ensureSecretFile(path: string, generate: () => string): string {
  const existing = readSecretFile(path);
  if (existing !== undefined) return existing;
  try {
    const secret = generate();
    writePrivateFile(path, `${secret}\n`);
    return secret;
  } catch (cause) {
    // Another process of this folder was faster: its secret is the one.
    if (codeOf(cause) === "EEXIST") return ensureSecretFile(path, generate);
    throw new OperatorError(`${path}: cannot be written (${codeOf(cause)})`, { cause });
  }
}

/** The secret that signs tokens: the given one, or else the data folder's, made at first use. */
export function ensureTokenSecret(dataDir: string, given: string | undefined): string {
  return (
    given ??
    ensureSecretFile(dataPaths(dataDir).secret, () => randomBytes(strongSecretBytes).toString("base64url"))
  );
}

/** The secret that signs tokens, `undefined` where no server has ever started and none is given. */
export function findTokenSecret(dataDir: string, given: string | undefined): string | undefined {
  return given ?? readSecretFile(dataPaths(dataDir).secret);
}

function readSecretFile(path: string): string | undefined {
  const secret = readPrivateFile(path);
  if (secret === "") throw new OperatorError(`${path}: is empty; remove it to have a new secret made`);
  return secret;
}

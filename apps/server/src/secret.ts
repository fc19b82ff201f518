import { randomBytes } from "node:crypto";
import { isWebhookSecret } from "@chat21/events";
import { codeOf, OperatorError, strongSecretBytes } from "@chat21/runtime";
import { dataPaths, readPrivateFile, writePrivateFile } from "./data-folder.ts";

/** The secret in a private file, made by `generate` at first use (mode 0600). */
function ensureSecretFile(path: string, generate: () => string): string {
  const existing = readSecretFile(path);
  if (existing !== undefined) return existing;
  try {
    const secret = generate();
    writePrivateFile(path, `${secret}\n`);
    return secret;
  } catch (cause) {
    // Another process of this folder was faster: its secret counts.
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

/** The key of development sign-in: the end of the address that a start prints. Made at first use. */
export function ensureSignInKey(dataDir: string): string {
  return ensureSecretFile(dataPaths(dataDir).signInKey, () => randomBytes(16).toString("base64url"));
}

/** The text of the secret that signs webhooks, made by `generate` at first use. Throws `OperatorError` when it is none. */
export function ensureWebhookSecret(dataDir: string, generate: () => string): string {
  const path = dataPaths(dataDir).webhookSecret;
  return requireWebhookSecret(path, ensureSecretFile(path, generate));
}

/** The text of the secret that signs webhooks. Throws `OperatorError` when there is none. */
export function readWebhookSecret(dataDir: string): string {
  const path = dataPaths(dataDir).webhookSecret;
  const text = readSecretFile(path);
  if (text === undefined) throw new OperatorError(`${path}: is missing`);
  return requireWebhookSecret(path, text);
}

function requireWebhookSecret(path: string, text: string): string {
  const secrets = text.split("|").map((secret) => secret.trim());
  if (secrets.length <= 2 && secrets.every(isWebhookSecret)) return text;
  throw new OperatorError(
    `${path}: expected whsec_ and 24 to 64 bytes in base64, during a rotation the new and the old one with | between them`,
  );
}

function readSecretFile(path: string): string | undefined {
  const secret = readPrivateFile(path);
  if (secret === "") throw new OperatorError(`${path}: is empty; remove it to have a new secret made`);
  return secret;
}

import { randomBytes } from "node:crypto";
import { codeOf, OperatorError, strongSecretBytes } from "@chat21/runtime";
import { dataPaths, readPrivateFile, writePrivateFile } from "./data-folder.ts";

/** The secret in a private file, made by `generate` at first use (mode 0600). */
export function ensureSecretFile(path: string, generate: () => string): string {
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

function readSecretFile(path: string): string | undefined {
  const secret = readPrivateFile(path);
  if (secret === "") throw new OperatorError(`${path}: is empty; remove it to have a new secret made`);
  return secret;
}

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { codeOf, OperatorError } from "./failure.ts";

/** An ES256 key of a folder: its name, and its private or public half. */
export type SigningKey = { readonly kid: string } & (
  | { readonly privateKey: string }
  | { readonly publicKey: string }
);

const ending = ".pem";

/**
 * Reads the ES256 keys `<kid>.pem` of a folder, the last name first: names that begin with a date put the newest key
 * there, and that one signs. A file with a public key verifies tokens of a key that is retired. Throws `OperatorError`
 * for a folder without keys and for a file that holds no key; never shows a key.
 */
export function readSigningKeys(variable: string, folder: string): readonly SigningKey[] {
  const names = list(variable, folder)
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .toReversed();
  if (names.length === 0) {
    throw new OperatorError(`${variable}: ${folder} holds no ES256 key; expected files <kid>${ending}`);
  }
  return names.map((name) => {
    const kid = basename(name, ending);
    const pem = read(variable, join(folder, name));
    if (pem.includes("PRIVATE KEY-----")) return { kid, privateKey: pem };
    if (pem.includes("PUBLIC KEY-----")) return { kid, publicKey: pem };
    throw new OperatorError(
      `${variable}: ${join(folder, name)} is neither a private nor a public key in PEM`,
    );
  });
}

function list(variable: string, folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new OperatorError(
      `${variable}: ${folder} cannot be read (${codeOf(cause)}); expected a folder of ES256 keys`,
      { cause },
    );
  }
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new OperatorError(`${variable}: ${path} cannot be read (${codeOf(cause)}); check its rights`, {
      cause,
    });
  }
}

import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { OperatorError, readSigningKeys } from "../src/index.ts";

const pem = { type: "pkcs8", format: "pem" } as const;

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    private: privateKey.export(pem) as string,
    public: publicKey.export({ type: "spki", format: "pem" }) as string,
  };
}

describe("a folder of signing keys", () => {
  const folders: string[] = [];
  const folderWith = (files: Record<string, string>) => {
    const folder = mkdtempSync(join(tmpdir(), "chat21-keys-"));
    folders.push(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  };
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const messageOf = (read: () => unknown) => {
    try {
      read();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(OperatorError);
      return (thrown as Error).message;
    }
    return "nothing was thrown";
  };

  it("gives the key whose name comes last first, and retired ones by their public half", () => {
    const [old, current] = [keyPair(), keyPair()];
    const folder = folderWith({ "2026-01.pem": old.public, "2026-09.pem": current.private, README: "keys" });

    expect(readSigningKeys("KEYS", folder)).toEqual([
      { kid: "2026-09", privateKey: current.private },
      { kid: "2026-01", publicKey: old.public },
    ]);
  });

  it("says what is wrong with it, and shows no key", () => {
    const empty = folderWith({});
    const strange = folderWith({ "a.pem": "secret text" });

    expect(messageOf(() => readSigningKeys("KEYS", empty))).toMatch(/^KEYS: .* holds no ES256 key/);
    expect(messageOf(() => readSigningKeys("KEYS", `${empty}/none`))).toMatch(
      /^KEYS: .*none cannot be read \(ENOENT\)/,
    );
    expect(messageOf(() => readSigningKeys("KEYS", strange))).toMatch(
      /a\.pem is neither a private nor a public key/,
    );
    expect(messageOf(() => readSigningKeys("KEYS", strange))).not.toContain("secret text");
  });
});

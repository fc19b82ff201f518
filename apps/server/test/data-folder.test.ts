import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError, secretWeakness } from "@chat21/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  dataPaths,
  fileSystemFault,
  prepareDataFolder,
  readRunningServer,
  removeRunningServer,
  unsafeFileSystem,
  writeRunningServer,
} from "../src/data-folder.ts";
import { ensureTokenSecret, findTokenSecret } from "../src/secret.ts";

let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "chat21-")), "data");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

describe("a data folder", () => {
  it("is made for its owner alone", () => {
    prepareDataFolder(folder);

    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it("is named when its file system is over a network or in user space", async () => {
    const types = [0x6969, 0xff534d42, 0xff534d42 | 0, 0xfe534d42, 0x01021997, 0x65735546, 0xef53];

    expect(types.map(unsafeFileSystem)).toEqual(["NFS", "CIFS", "CIFS", "SMB", "9p", "FUSE", undefined]);
    expect(await fileSystemFault(tmpdir())).toBeUndefined();
  });

  it("says what to do when something else is in the way", () => {
    writeFileSync(folder, "");

    expect(() => prepareDataFolder(folder)).toThrow(OperatorError);
    expect(() => prepareDataFolder(join(folder, "below"))).toThrow(
      /is no folder is in the way: move it, or choose/,
    );
  });

  it("tells commands about its server until that is gone", () => {
    prepareDataFolder(folder);
    const running = { pid: process.pid, url: "http://127.0.0.1:1", mqttUrl: null, startedAt: "now" };

    writeRunningServer(folder, running);
    const found = readRunningServer(folder);
    removeRunningServer(folder);

    expect(found).toEqual(running);
    expect(readRunningServer(folder)).toBeUndefined();
  });

  it("keeps the word of another process", () => {
    prepareDataFolder(folder);
    writeRunningServer(folder, { pid: 1, url: "http://127.0.0.1:1", mqttUrl: null, startedAt: "now" });

    removeRunningServer(folder);

    expect(existsSync(dataPaths(folder).running)).toBe(true);
  });
});

describe("the secret", () => {
  it("is made at first use, for its owner alone, and stays", () => {
    prepareDataFolder(folder);

    const first = ensureTokenSecret(folder, undefined);

    expect(Buffer.from(first, "base64url")).toHaveLength(32);
    expect(statSync(dataPaths(folder).secret).mode & 0o777).toBe(0o600);
    expect(ensureTokenSecret(folder, undefined)).toBe(first);
    expect(findTokenSecret(folder, undefined)).toBe(first);
    expect(secretWeakness(first)).toBeUndefined();
  });

  it("is the given one when there is one, and none is made then", () => {
    prepareDataFolder(folder);

    expect(ensureTokenSecret(folder, "given")).toBe("given");
    expect(existsSync(dataPaths(folder).secret)).toBe(false);
  });

  it("is hidden from others when somebody opened it to them", () => {
    prepareDataFolder(folder);
    ensureTokenSecret(folder, undefined);
    chmodSync(dataPaths(folder).secret, 0o644);

    findTokenSecret(folder, undefined);

    expect(statSync(dataPaths(folder).secret).mode & 0o777).toBe(0o600);
  });

  it("that is empty is an error and not a secret", () => {
    prepareDataFolder(folder);
    writeFileSync(dataPaths(folder).secret, "\n");

    expect(() => ensureTokenSecret(folder, undefined)).toThrow(/is empty; remove it/);
    expect(readFileSync(dataPaths(folder).secret, "utf8")).toBe("\n");
  });

  it.each([
    ["tokenKey", /default that everybody knows/],
    ["short", /has 5 bytes, and 32/],
    ["a".repeat(64), /hardly any different/],
  ])("%s is called weak", (secret, why) => {
    expect(secretWeakness(secret)).toMatch(why);
  });
});

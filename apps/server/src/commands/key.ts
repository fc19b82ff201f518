import type { ServerKeyDescription } from "@chat21/http-api";
import { parseDuration } from "../duration.ts";
import { localTime, printAside, printJson, printLine, printTable } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Makes a key and prints it; it is shown this once. */
export async function createKey(
  name: string,
  options: ServerOptions & { readonly expires?: string },
): Promise<void> {
  const { app, expires } = options;
  const expiresAt = expires === undefined ? undefined : Date.now() + parseDuration("--expires", expires);
  const made = (await accessServer(options).operate("POST", pathOf(app), {
    user: name,
    expiresAt,
  })) as ServerKeyDescription & { readonly key: string };
  if (options.json === true) return printJson(made);
  if (process.stderr.isTTY) {
    const end = made.expiresAt === null ? "until it is revoked" : `until ${localTime(made.expiresAt)}`;
    printAside(`key ${made.id} of ${name} in ${app}, ${end}; it is not shown again:`);
  }
  printLine(made.key);
}

/** Lists the keys of the app. */
export async function listKeys(options: ServerOptions): Promise<void> {
  const { keys } = (await accessServer(options).operate("GET", pathOf(options.app))) as {
    readonly keys: readonly ServerKeyDescription[];
  };
  if (options.json === true) return keys.forEach(printJson);
  printTable(
    [
      { title: "id", value: (key) => key.id },
      { title: "name", value: (key) => key.user },
      { title: "since", value: (key) => localTime(key.createdAt) },
      { title: "until", value: (key) => (key.expiresAt === null ? "no end" : localTime(key.expiresAt)) },
      { title: "last used", value: (key) => (key.lastUsedAt === null ? "never" : localTime(key.lastUsedAt)) },
    ],
    keys,
  );
}

/** Revokes keys one after the other. */
export async function revokeKeys(ids: readonly string[], options: ServerOptions): Promise<void> {
  const server = accessServer(options);
  for (const id of ids) {
    await server.operate("DELETE", `${pathOf(options.app)}/${encodeURIComponent(id)}`);
    if (options.json === true) printJson({ revoked: id });
    else printLine(`revoked ${id}`);
  }
}

function pathOf(app: string): string {
  return `apps/${encodeURIComponent(app)}/keys`;
}

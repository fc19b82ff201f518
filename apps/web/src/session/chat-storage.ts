import type { Storage as ChatStorage, StorageCollection } from "@chat21/client-sdk";
import { browserArea, namesIn, windowArea } from "./page-area.ts";
import { type Owner, scopeOf } from "./session.ts";
import { holdName, knownWindowName } from "./window-name.ts";

/** The two areas of a browser. */
export interface Areas {
  readonly window: Storage;
  readonly browser: Storage;
}

const areasOfPage: Areas = { window: windowArea, browser: browserArea };

/**
 * Keeps the records of one window's client: unsent messages and unconfirmed marks also after the window is closed,
 * everything else over a reload. No other client may use the name: get it from `claimWindowName`. A record that cannot be read is `null`.
 */
export function createChatStorage(windowName: string, areas: Areas = areasOfPage): ChatStorage {
  const areaOf = (collection: StorageCollection) => areas[collection === "meta" ? "window" : "browser"];
  const startOf = (collection: StorageCollection) => `chat21.${windowName}.${collection}.`;
  return {
    async get(collection, key) {
      return parse(areaOf(collection).getItem(startOf(collection) + key));
    },
    async list(collection, prefix) {
      const start = startOf(collection);
      const area = areaOf(collection);
      return namesIn(area)
        .filter((name) => name.startsWith(start + prefix))
        .sort((a, b) => (a < b ? -1 : 1))
        .map((name) => ({ key: name.slice(start.length), value: parse(area.getItem(name)) }));
    },
    async put(collection, key, value) {
      areaOf(collection).setItem(startOf(collection) + key, JSON.stringify(value));
    },
    async delete(collection, key) {
      areaOf(collection).removeItem(startOf(collection) + key);
    },
  };
}

/**
 * Takes over the owner's unsent messages and unconfirmed marks of windows that were closed. Each message goes out once:
 * the server knows it by its client id. A mark that it gets twice does no harm.
 */
export async function adoptUnsent(
  windowName: string,
  owner: Owner,
  { browser }: Areas = areasOfPage,
): Promise<void> {
  const left = namesIn(browser).flatMap((name) => {
    const [, from = "", collection] = name.split(".");
    const isShared = collection === "outbox" || collection === "marks";
    const isUnsent = isShared && isOf(owner, name) && from !== windowName;
    return isUnsent ? [{ name, from }] : [];
  });
  const gone = new Map(
    await Promise.all(
      [...new Set(left.map(({ from }) => from))].map(
        async (from) => [from, await holdName(from, adoptionMs)] as const,
      ),
    ),
  );
  for (const { name, from } of left) {
    const text = gone.get(from) ? browser.getItem(name) : null;
    if (text === null) continue;
    // Removed first: a full storage has room for it then.
    browser.removeItem(name);
    browser.setItem(name.replace(from, windowName), text);
  }
}

/** A window that is open keeps its messages: there is nothing to wait for. */
const adoptionMs = 100;

/** Deletes the owner's records of this window. Other windows keep theirs. */
export function eraseRecords(
  owner: Owner,
  windowName: string | null = knownWindowName(),
  areas: Areas = areasOfPage,
): void {
  // Who last signed in is kept beside the records of users.
  areas.window.removeItem(`chat21.${windowName}.meta.user`);
  for (const area of [areas.window, areas.browser])
    for (const name of namesIn(area)) {
      const isOther = area === areas.browser && !name.startsWith(`chat21.${windowName}.`);
      if (isOf(owner, name) && !isOther) area.removeItem(name);
    }
}

function isOf(owner: Owner, name: string): boolean {
  const owned = /^chat21\.(?:\w+\.(?:marks|outbox|meta)|drafts)\.(.*)$/.exec(name)?.[1];
  return owned?.startsWith(scopeOf(owner)) === true;
}

function parse(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return null;
  }
}

import type { Storage as ChatStorage, StorageCollection } from "@chat21/client-sdk";

/**
 * Keeps unsent messages and positions in this window's session storage, so that they survive a reload. No other client
 * may use `namespace`: get it from {@link claimNamespace}.
 */
export function sessionChatStorage(namespace: string, area: Storage = sessionStorage): ChatStorage {
  const prefixOf = (collection: StorageCollection) => `${namespace}.${collection}.`;
  return {
    async get(collection, key) {
      const text = area.getItem(prefixOf(collection) + key);
      return text === null ? undefined : JSON.parse(text);
    },
    async list(collection, prefix) {
      const start = prefixOf(collection);
      return Array.from({ length: area.length }, (_, index) => area.key(index) ?? "")
        .filter((name) => name.startsWith(start + prefix))
        .sort((a, b) => (a < b ? -1 : 1))
        .map((name) => ({ key: name.slice(start.length), value: JSON.parse(area.getItem(name) ?? "null") }));
    },
    async put(collection, key, value) {
      area.setItem(prefixOf(collection) + key, JSON.stringify(value));
    },
    async delete(collection, key) {
      area.removeItem(prefixOf(collection) + key);
    },
  };
}

const windowKey = "chat21.window";
/** Longest time to wait until the page before a reload has gone. */
const handOverMs = 500;

/**
 * Claims a namespace that no other open window uses. After a reload it is the same as before, where possible. A
 * duplicated window starts with a copy of the storage of the first one, so it needs another namespace: otherwise it
 * would act as the same device and send the same messages again.
 */
export async function claimNamespace(area: Storage = sessionStorage): Promise<string> {
  const known = area.getItem(windowKey);
  if (known !== null && (await holdWhileOpen(known))) return `chat21.${known}`;
  const fresh = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  await holdWhileOpen(fresh);
  area.setItem(windowKey, fresh);
  return `chat21.${fresh}`;
}

/**
 * Claims `name` while the page is open. Without the Web Locks API (plain http) it fails: each load is a new device
 * then.
 */
async function holdWhileOpen(name: string): Promise<boolean> {
  if (!("locks" in navigator)) return false;
  return new Promise((resolve) => {
    const hold = () => {
      resolve(true);
      return new Promise<void>(() => {});
    };
    const signal = AbortSignal.timeout(handOverMs);
    navigator.locks.request(`chat21.window.${name}`, { signal }, hold).catch(() => resolve(false));
  });
}

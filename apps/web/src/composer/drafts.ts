/** Unfinished messages, one per conversation. They are kept while the window is open. */
export interface Drafts {
  /** `""` when there is none. */
  get(conversWith: string): string;
  /** An empty text deletes the draft. */
  set(conversWith: string, text: string): void;
  subscribe(listener: () => void): () => void;
}

const key = "chat21.drafts";

/** Creates drafts that survive a reload of the window. Signing out deletes them. */
export function createDrafts(area: Storage = sessionStorage): Drafts {
  const texts = load(area);
  const listeners = new Set<() => void>();
  return {
    get: (conversWith) => texts.get(conversWith) ?? "",
    set(conversWith, text) {
      if (text === (texts.get(conversWith) ?? "")) return;
      if (text === "") texts.delete(conversWith);
      else texts.set(conversWith, text);
      save(area, texts);
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function load(area: Storage): Map<string, string> {
  try {
    const value: unknown = JSON.parse(area.getItem(key) ?? "{}");
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return new Map();
  }
}

/** Saves all drafts. With a full storage they do not survive a reload, but the user can still type. */
function save(area: Storage, texts: ReadonlyMap<string, string>): void {
  try {
    area.setItem(key, JSON.stringify(Object.fromEntries(texts)));
  } catch {}
}

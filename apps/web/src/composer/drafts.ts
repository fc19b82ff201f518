import { windowArea } from "../session/page-area.ts";
import { type Owner, scopeOf } from "../session/session.ts";

/** Unfinished messages, one per conversation. They are kept while the window is open. */
export interface Drafts {
  /** `""` when there is none. */
  get(conversWith: string): string;
  /** An empty text deletes the draft. */
  set(conversWith: string, text: string): void;
  subscribe(listener: () => void): () => void;
}

/** Creates one person's drafts. They survive a reload of the window; signing out deletes them. */
export function createDrafts(owner: Owner, area: Storage = windowArea): Drafts {
  const key = `chat21.drafts.${scopeOf(owner)}`;
  const texts = load(area.getItem(key));
  const listeners = new Set<() => void>();
  return {
    get: (conversWith) => texts.get(conversWith) ?? "",
    set(conversWith, text) {
      if (text === (texts.get(conversWith) ?? "")) return;
      if (text === "") texts.delete(conversWith);
      else texts.set(conversWith, text);
      area.setItem(key, JSON.stringify(Object.fromEntries(texts)));
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function load(text: string | null): Map<string, string> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return new Map();
  }
}

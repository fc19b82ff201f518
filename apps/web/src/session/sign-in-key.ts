import { browserArea } from "./page-area.ts";

const name = "chat21.sign-in-key";

/**
 * Takes the key of sign-in by name out of the address that the server printed (`#key=…`), so that it is in no bookmark
 * and on no screenshot. This browser keeps it.
 */
export function takeSignInKey(): void {
  const [, key] = /^#key=([\w-]+)$/u.exec(location.hash) ?? [];
  if (key === undefined) return;
  keepSignInKey(key);
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** Keeps a key that a person typed or pasted, alone or as the end of the printed address. */
export function keepSignInKey(text: string): void {
  browserArea.setItem(name, text.trim().replace(/^.*#key=/u, ""));
}

/** The kept key; `""` for none. */
export function signInKey(): string {
  return browserArea.getItem(name) ?? "";
}

import { isId } from "@chat21/protocol";

/** The signed-in user of this window. */
export interface Session {
  readonly app: string;
  readonly user: string;
  readonly fullname: string;
  readonly token: string;
  /** The token came from sign-in by name, which gives a new one when it expires. */
  readonly renewable: boolean;
}

const key = "chat21.session";

/** Loads the session of this window, or `undefined`. Each window has its own, so that two windows can be two people. */
export function loadSession(storage: Storage = sessionStorage): Session | undefined {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? "null");
    return isSession(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Saves the session until the window is closed. */
export function saveSession(session: Session, storage: Storage = sessionStorage): void {
  storage.setItem(key, JSON.stringify(session));
}

/** Deletes the session and everything else this page kept for its user. */
export function clearSession(storage: Storage = sessionStorage): void {
  const own = Array.from({ length: storage.length }, (_, index) => storage.key(index));
  for (const name of own) if (name?.startsWith("chat21.")) storage.removeItem(name);
}

function isSession(value: unknown): value is Session {
  if (typeof value !== "object" || value === null) return false;
  const { app, user, fullname, token, renewable } = value as Record<string, unknown>;
  const texts = typeof fullname === "string" && typeof token === "string" && token !== "";
  return isId(app) && isId(user) && texts && typeof renewable === "boolean";
}

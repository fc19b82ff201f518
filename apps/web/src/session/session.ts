import { isId } from "@chat21/protocol";

/** Who this window is. */
export interface Session {
  readonly app: string;
  readonly user: string;
  readonly fullname: string;
  readonly token: string;
  /** The token came from development sign-in, which gives another one when it runs out. */
  readonly renewable: boolean;
}

const key = "chat21.session";

/** The session of this window, or `undefined`. Per window, so that two of them can be two people. */
export function loadSession(storage: Storage = sessionStorage): Session | undefined {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? "null");
    return isSession(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Remembers the session for as long as the window is open. */
export function saveSession(session: Session, storage: Storage = sessionStorage): void {
  storage.setItem(key, JSON.stringify(session));
}

/** Forgets it, and everything else this page kept for that person. */
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

import { isId, toWireId } from "@chat21/protocol";
import { windowArea } from "./page-area.ts";

/** The person whose things are kept. */
export interface Owner {
  readonly app: string;
  readonly user: string;
}

/**
 * Begins the keys of all that is kept for a person, as in the client's own records. The id on the wire has no slash: no
 * person's keys begin like another one's.
 */
export function scopeOf({ app, user }: Owner): string {
  return `${app}/${toWireId(user)}/`;
}

/** The signed-in user of this window. */
export interface Session extends Owner {
  readonly fullname: string;
  readonly token: string;
  /** The token came from sign-in by name, which gives a new one when it expires. */
  readonly renewable: boolean;
}

const key = "chat21.session";

/** Loads the session of this window, or `undefined`. Each window has its own, so that two windows can be two people. */
export function loadSession(area: Storage = windowArea): Session | undefined {
  try {
    const value: unknown = JSON.parse(area.getItem(key) ?? "null");
    return isSession(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Saves the session until the window is closed. */
export function saveSession(session: Session, area: Storage = windowArea): void {
  area.setItem(key, JSON.stringify(session));
}

/** Forgets who is signed in. Everything that this person wrote stays. */
export function forgetSession(area: Storage = windowArea): void {
  area.removeItem(key);
}

function isSession(value: unknown): value is Session {
  if (typeof value !== "object" || value === null) return false;
  const { app, user, fullname, token, renewable } = value as Record<string, unknown>;
  const texts = typeof fullname === "string" && typeof token === "string" && token !== "";
  return (
    isId(app) &&
    typeof user === "string" &&
    toWireId(user) !== null &&
    texts &&
    typeof renewable === "boolean"
  );
}

import type { Chat } from "@chat21/client-sdk";
import { systemUser, toWireConversWith } from "@chat21/protocol";
import { shownName } from "../ui/foreign-text.ts";

/**
 * Names of people, the same everywhere on the page: those of their profiles on the server. What a message or a group says
 * of somebody is used only for people without a profile. Made for `useSyncExternalStore`.
 */
export interface Names {
  /** The name of a user, fit for the page's sentences: that of the profile, else `claimed`, else the id. */
  of(user: string, claimed?: string): string;
  /** The name in the profile; `undefined` as long as there is none. */
  profile(user: string): string | undefined;
  /** Changes whenever a name does. */
  version(): number;
  subscribe(listener: () => void): () => void;
}

/** Time in which ids gather before the server is asked. */
const gatherMs = 20;

/** Creates the names of a client. Each is asked for when it is first needed, and again when the client is back online. */
export function createNames(chat: Chat): Names {
  /** Users whose names were wanted; `undefined`: without a profile, or not known yet. */
  const known = new Map<string, string | undefined>();
  const wanted = new Set<string>();
  const listeners = new Set<() => void>();
  let version = 0;

  function want(users: Iterable<string>): void {
    if (wanted.size === 0) setTimeout(ask, gatherMs);
    for (const user of users) wanted.add(user);
  }

  async function ask(): Promise<void> {
    const users = [...wanted];
    wanted.clear();
    // Without an answer they are asked for again when the client is back online.
    const names = await chat.names(users).catch(() => undefined);
    if (names === undefined || users.every((user) => known.get(user) === names.get(user))) return;
    for (const user of users) known.set(user, names.get(user));
    version += 1;
    for (const listener of listeners) listener();
  }

  chat.on("status", ({ status }) => {
    if (status === "online" && known.size > 0) want(known.keys());
  });

  function profile(user: string): string | undefined {
    if (!known.has(user) && toWireConversWith(user) !== null && user !== systemUser) {
      known.set(user, undefined);
      want([user]);
    }
    return known.get(user);
  }

  return {
    of: (user, claimed) =>
      user === chat.user.id ? chat.user.fullname : shownName(profile(user) ?? claimed ?? user, user),
    profile,
    version: () => version,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

import { ChatError, presenceListSchema } from "@chat21/protocol";
import type { Clock } from "../connection/clock.ts";
import type { RestClient } from "../connection/rest.ts";
import { mostUsers, usersQuery } from "../connection/rest.ts";
import type { Unsubscribe } from "./emitter.ts";
import type { Presence, PresenceDirectory } from "./presence.ts";

/** The parts that presence uses. */
export interface PresenceOptions {
  readonly rest: RestClient;
  readonly clock: Clock;
  handleChange(presence: Presence): void;
  report(thrown: unknown): void;
}

/** Time in which subscriptions gather before the server is asked. */
const gatherMs = 20;

/** Presence over REST, and presence notices of the inbox. */
export class PresenceClient implements PresenceDirectory {
  readonly #options: PresenceOptions;
  readonly #known = new Map<string, Presence>();
  readonly #listeners = new Map<string, Set<(presence: Presence) => void>>();
  readonly #wanted = new Set<string>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  known(user: string): Presence | undefined {
    return this.#known.get(user);
  }

  async get(user: string): Promise<Presence> {
    const [presence] = await this.#ask([user]);
    if (presence === undefined) throw new ChatError("not_found");
    return presence;
  }

  subscribe(user: string, listener: (presence: Presence) => void): Unsubscribe {
    const listeners = this.#listeners.get(user) ?? new Set();
    this.#listeners.set(user, listeners);
    const registered = (presence: Presence) => {
      try {
        listener(presence);
      } catch (thrown) {
        this.#options.report(thrown);
      }
    };
    listeners.add(registered);
    const known = this.#known.get(user);
    if (known !== undefined && known.presence !== "unknown")
      queueMicrotask(() => listeners.has(registered) && registered(known));
    // Without an answer the user stays unknown; the next notice or reconnect will tell.
    else this.#askSoon(user);
    return () => {
      listeners.delete(registered);
      if (listeners.size === 0) this.#listeners.delete(user);
    };
  }

  /** This client is away from the server: nothing that it knew holds any more. */
  forget(): void {
    for (const user of this.#known.keys()) this.handle(user, "unknown", undefined);
  }

  /** Asks for the changes that were missed while away. */
  refresh(): void {
    this.#askAll([...new Set([...this.#listeners.keys(), ...this.#known.keys()])]);
  }

  /** A list that fills subscribes to many users within an instant: they make one request. */
  #askSoon(user: string): void {
    if (this.#wanted.size === 0) {
      this.#options.clock.after(gatherMs, () => {
        const users = [...this.#wanted];
        this.#wanted.clear();
        this.#askAll(users);
      });
    }
    this.#wanted.add(user);
  }

  #askAll(users: readonly string[]): void {
    for (let from = 0; from < users.length; from += mostUsers) {
      this.#ask(users.slice(from, from + mostUsers)).catch(() => undefined);
    }
  }

  handle(user: string, presence: Presence["presence"], lastSeen: number | undefined): Presence {
    const known = this.#known.get(user);
    const now = { user, presence, lastSeen: presence === "offline" ? lastSeen || null : null };
    if (known?.presence === now.presence && known.lastSeen === now.lastSeen) return known;
    this.#known.set(user, now);
    this.#options.handleChange(now);
    for (const listener of [...(this.#listeners.get(user) ?? [])]) listener(now);
    return now;
  }

  async #ask(users: readonly string[]): Promise<readonly Presence[]> {
    const query = usersQuery(users);
    const answer = await this.#options.rest.call("GET", ["v1", null, "presence"], presenceListSchema, {
      query,
    });
    return answer.presence.map(({ user, presence, last_seen: lastSeen }) =>
      this.handle(user, presence, lastSeen),
    );
  }
}

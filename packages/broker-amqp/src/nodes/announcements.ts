import { ChatError } from "@chat21/protocol";
import type { Timers } from "../timers.ts";
import { nodeLimits } from "./node-limits.ts";
import type { NodeSession, UserChange } from "./node-words.ts";

/** Options of {@link Announcements}. */
export interface AnnouncementsOptions {
  readonly timers: Timers;
  /** Our name among the nodes; `null` while we have none. */
  readonly name: () => string | null;
  /** Tells all other nodes. Answers the number of the word to each of them. */
  readonly tell: (changes: readonly UserChange[]) => Map<string, number>;
  /** Whether the node has noted our word with this number, or is no more. */
  readonly hasNoted: (node: string, number: number) => boolean;
}

/** Somebody who waits until nodes have noted a word. */
interface Waiter {
  readonly numbers: Map<string, number>;
  readonly resolve: () => void;
}

interface Announced {
  /** Our name then. */
  readonly name: string;
  readonly at: number;
}

/** The users who are connected here. The other nodes are told of each change; the changes of one turn are one word. */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  /** Connections here, by `app/user`. */
  readonly #local = new Map<string, number>();
  /** Announced and not opened yet. */
  readonly #unopened = new Map<NodeSession, Announced>();
  #waiters: Waiter[] = [];
  #changes: UserChange[] = [];
  #flushed: PromiseWithResolvers<void> | undefined;

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
  }

  /** Everybody with a connection here, `app/user`. */
  get users(): readonly string[] {
    return [...this.#local.keys()];
  }

  /** See `NodeNetwork.announce`. */
  async announce(session: NodeSession): Promise<void> {
    const name = this.#options.name() ?? "";
    this.#count(session, 1);
    this.#unopened.set(session, { name, at: this.#options.timers.now() });
    await this.#change([session.app, session.user, session.clientId]);
    if (this.#options.name() === name) return;
    this.closed(session);
    throw new ChatError("connection_lost", "the node lost the broker");
  }

  /** See `NodeNetwork.opened`. */
  opened(session: NodeSession): boolean {
    const announced = this.#unopened.get(session);
    if (announced === undefined) {
      this.#count(session, 1);
      return false;
    }
    this.#unopened.delete(session);
    return announced.name === this.#options.name();
  }

  /** The connection that was announced is gone. */
  closed(session: NodeSession): void {
    this.#unopened.delete(session);
    if (this.#count(session, -1) > 0) return;
    void this.#change([session.app, session.user, null]);
  }

  /** Takes back what was announced long ago and has not been opened. */
  takeBackUnopened(): void {
    const before = this.#options.timers.now() - nodeLimits.unopenedMs;
    for (const [session, { at }] of this.#unopened) {
      if (at > before) return;
      this.closed(session);
    }
  }

  /** Looks again who has noted what. */
  settle(): void {
    this.#waiters = this.#waiters.filter(({ numbers, resolve }) => {
      for (const [node, number] of numbers) if (this.#options.hasNoted(node, number)) numbers.delete(node);
      if (numbers.size > 0) return true;
      resolve();
      return false;
    });
  }

  #count({ app, user }: NodeSession, by: 1 | -1): number {
    const key = `${app}/${user}`;
    const count = (this.#local.get(key) ?? 0) + by;
    if (count > 0) this.#local.set(key, count);
    else this.#local.delete(key);
    return count;
  }

  /** Resolves when every node has noted the change. */
  async #change(change: UserChange): Promise<void> {
    this.#changes.push(change);
    if (this.#flushed === undefined) {
      this.#flushed = Promise.withResolvers();
      setImmediate(() => this.#flush());
    }
    await this.#flushed.promise;
  }

  #flush(): void {
    const changes = this.#changes;
    const flushed = this.#flushed;
    this.#changes = [];
    this.#flushed = undefined;
    this.#waiters.push({ numbers: this.#options.tell(changes), resolve: () => flushed?.resolve() });
    this.settle();
  }
}

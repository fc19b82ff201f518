import { topics } from "@chat21/protocol";
import type { LiveSessions } from "./live-sessions.ts";
import { everyPeer } from "./operations/every-peer.ts";
import type { OperationsContext } from "./operations-context.ts";
import { deliver, handOver } from "./operations-context.ts";
import type { Session } from "./ports/edge.ts";
import type { PresenceLease } from "./ports/presence-store.ts";

/** Life of a lease; renewed while its connection is open. */
const presenceLeaseMs = 150_000;
/** Interval in which open connections renew their leases and lapsed leases are looked for. */
export const presenceSweepMs = 50_000;
/** Time in which a client that left may come back unnoticed. */
const defaultGraceMs = 5_000;
/** After a start, clients of the process before have this time to come back unnoticed. */
const returnMs = 60_000;
/** Leases that lapsed longer ago are not waited for: the server was away too long to call it a restart. */
const longestRestartMs = 600_000;

const leasesAtOnce = 1_000;
const peersAtOnce = 1_000;

/** What a lease is about. */
type LeaseOwner = Pick<Session, "app" | "user" | "clientId">;

/** Settings of a {@link PresenceKeeper}. */
export interface PresenceKeeperOptions {
  /** Whether there is presence: without it, no leases and no notices. */
  readonly enabled: boolean;
  /** Milliseconds between a departure and its announcement. @default 5,000 */
  readonly graceMs: number | undefined;
  /** Runs work in the background until the engine is drained. */
  readonly run: (what: string, work: Promise<unknown>) => void;
}

/**
 * Presence: a lease per (user, client); offline only when the last one is gone. Never retained. Others, people and
 * sinks alike, hear only of changes: of the first lease at once, of the end of the last one after a grace. A client
 * that is back within the grace was never away: a reload, a takeover, a renewed token.
 */
export class PresenceKeeper {
  readonly #context: OperationsContext;
  readonly #sessions: LiveSessions;
  readonly #options: PresenceKeeperOptions;
  /** Clients that left, until the grace is over or they are back; and the way to cancel the end of the grace. */
  readonly #departures = new Map<string, () => void>();
  /** The last change of each user under way. Changes of one user are made and told one after the other. */
  readonly #changes = new Map<string, Promise<void>>();
  #isStopped = false;

  constructor(context: OperationsContext, sessions: LiveSessions, options: PresenceKeeperOptions) {
    this.#context = context;
    this.#sessions = sessions;
    this.#options = options;
  }

  /** P5: the client is there. */
  async online(session: Session): Promise<void> {
    if (!this.#options.enabled) return;
    if (this.#context.edge.probe === undefined && !this.#sessions.announce(session)) return;
    this.#forget(nameOf(session));
    await this.#inTurn(session, async () => {
      if (await this.#renewOne(session)) await this.#tell(session, "online", this.#context.clock.now());
    });
  }

  /** P6: the client says goodbye. Where connections are seen, only the connection that holds the lease ends it. */
  withdrawn(session: Session): void {
    if (this.#sessions.withdraw(session) || this.#context.edge.probe !== undefined) this.departed(session);
  }

  /** A client left, or its connection ended. Its lease ends after the grace, unless the client is back by then. */
  departed({ app, user, clientId }: LeaseOwner): void {
    const { clock } = this.#context;
    const owner = { app, user, clientId };
    const name = nameOf(owner);
    this.#forget(name);
    if (this.#isStopped || !this.#options.enabled) return;
    const at = clock.now();
    const cancel = clock.every(this.#options.graceMs ?? defaultGraceMs, () => {
      this.#forget(name);
      this.#options.run("ending a presence lease", this.#end(owner, at));
    });
    this.#departures.set(name, cancel);
  }

  /** The client is connected to another process: nothing about it ends here. */
  moved(client: LeaseOwner): void {
    this.#sessions.forget(client);
    this.#forget(nameOf(client));
  }

  /** A client is gone, for any user. */
  async gone(clientId: string): Promise<void> {
    if (!this.#options.enabled) return;
    for (const lease of await this.#context.store.presence.ofClient(clientId)) this.departed(lease);
  }

  /**
   * Gives the clients of an earlier process of an unshared store time to come back. Where the broker has the
   * connections, they are still there, and the sweep asks.
   */
  async start(): Promise<void> {
    const { store, clock, edge } = this.#context;
    if (edge.probe !== undefined || !this.#options.enabled) return;
    const now = clock.now();
    await this.#bound();
    await this.#tellExpired(now - longestRestartMs);
    for (;;) {
      const leases = await store.presence.expiring(now + returnMs, leasesAtOnce);
      if (leases.length === 0) return;
      await this.#renew(leases, returnMs);
    }
  }

  /** Tells no more of departures: the clients come back to the next process, or their leases run out there. */
  stop(): void {
    this.#isStopped = true;
    for (const name of this.#departures.keys()) this.#forget(name);
  }

  /** Renews the leases of open connections and ends lapsed leases. */
  async sweep(): Promise<void> {
    if (!this.#options.enabled) return;
    await this.#bound();
    if (this.#context.edge.probe === undefined) await this.#renew([...this.#sessions.announced]);
    else await this.#probeExpiring();
    await this.#tellExpired(this.#context.clock.now());
  }

  /** Ends a lease. Where the broker has the connections, it may be that a newer connection of the client is there. */
  async #end(owner: LeaseOwner, at: number): Promise<void> {
    const { store, edge } = this.#context;
    const { app, user, clientId } = owner;
    await this.#inTurn(owner, async () => {
      const [listens] = (await edge.probe?.([owner])) ?? [];
      const { offline } = await store.presence.end(app, user, clientId, at);
      if (!offline) return;
      if (listens) await this.#renewOne(owner);
      else await this.#tell(owner, "offline", at);
    });
  }

  /** No lease lives longer than one that is made now: the clock may have been set back. */
  async #bound(): Promise<void> {
    const { store, clock } = this.#context;
    await store.presence.bound(clock.now() + presenceLeaseMs);
  }

  async #renewOne(owner: LeaseOwner): Promise<boolean> {
    const [cameOnline] = await this.#renew([owner]);
    return cameOnline === true;
  }

  async #renew(owners: readonly LeaseOwner[], forMs = presenceLeaseMs): Promise<readonly boolean[]> {
    const { store, clock } = this.#context;
    const now = clock.now();
    const leases = owners.map(({ app, user, clientId }) => ({ app, user, clientId, expiresAt: now + forMs }));
    return leases.length > 0 ? store.presence.renew(leases, now) : [];
  }

  /** Asks the broker, before a lease runs out, whether a client still listens for its user. */
  async #probeExpiring(): Promise<void> {
    const { store, clock, edge } = this.#context;
    for (;;) {
      const now = clock.now();
      const leases = await store.presence.expiring(now + 2 * presenceSweepMs, leasesAtOnce);
      const listens = (await edge.probe?.(leases)) ?? [];
      await this.#renew(leases.filter((_, i) => listens[i]));
      const gone: readonly PresenceLease[] = leases.filter((_, i) => !listens[i]);
      for (const lease of gone) await this.#end(lease, now);
      if (leases.length < leasesAtOnce) return;
    }
  }

  async #tellExpired(until: number): Promise<void> {
    const { store, clock } = this.#context;
    for (const owner of await store.presence.expire(until))
      await this.#inTurn(owner, () => this.#tell(owner, "offline", clock.now()));
  }

  #forget(name: string): void {
    this.#departures.get(name)?.();
    this.#departures.delete(name);
  }

  async #inTurn({ app, user }: { app: string; user: string }, change: () => Promise<void>): Promise<void> {
    const key = `${app}/${user}`;
    const turn = (this.#changes.get(key) ?? Promise.resolve()).catch(() => {}).then(change);
    this.#changes.set(key, turn);
    try {
      await turn;
    } finally {
      if (this.#changes.get(key) === turn) this.#changes.delete(key);
    }
  }

  /** People hear of it who share a direct conversation with the user and are connected. */
  async #tell(
    { app, user }: { app: string; user: string },
    presence: "online" | "offline",
    at: number,
  ): Promise<void> {
    await handOver(this.#context, [{ kind: "presence", app, user, presence, at }]);
    const lastSeen = presence === "offline" ? `,"last_seen":${at}` : "";
    const payload = `{"type":"presence","user":"${user}","presence":"${presence}"${lastSeen}}`;
    let peers: string[] = [];
    const flush = async () => {
      const told = peers;
      peers = [];
      await deliver(
        this.#context,
        told.map((peer) => ({
          ...{ app, user: peer, topic: topics.ephemeral(app, peer), payload, qos: 0 as const },
        })),
      );
    };
    for await (const peer of everyPeer(this.#context.store.conversations, app, user)) {
      peers.push(peer);
      if (peers.length === peersAtOnce) await flush();
    }
    await flush();
  }
}

function nameOf({ app, user, clientId }: LeaseOwner): string {
  return `${app}/${user}/${clientId}`;
}

import { topics } from "@chat21/protocol";
import type { LiveSessions } from "./live-sessions.ts";
import type { OperationsContext } from "./operations-context.ts";
import { deliver, handOver } from "./operations-context.ts";
import type { Session } from "./ports/edge.ts";

/** Life of a lease; renewed while its connection is open. */
const presenceLeaseMs = 150_000;
/** Interval in which open connections renew their leases and lapsed leases are looked for. */
export const presenceSweepMs = 50_000;

const peersTold = 200;
const probedAtOnce = 1_000;

/** Presence: a lease per (user, client); offline only when the last one is gone. Never retained. */
export class PresenceKeeper {
  readonly #context: OperationsContext;
  readonly #sessions: LiveSessions;
  readonly #enabled: boolean;

  constructor(context: OperationsContext, sessions: LiveSessions, enabled: boolean) {
    this.#context = context;
    this.#sessions = sessions;
    this.#enabled = enabled;
  }

  /** P5: the client is there. Every P5 is a fact for backends, as existing ones expect; peers hear of changes only. */
  async online(session: Session): Promise<void> {
    const { store, clock, edge } = this.#context;
    if (edge.probe === undefined && !this.#sessions.announce(session)) return;
    const now = clock.now();
    const { app, user, clientId } = session;
    const [cameOnline] = await store.presence.renew(
      [{ app, user, clientId, expiresAt: now + presenceLeaseMs }],
      now,
    );
    if (this.#enabled)
      await handOver(this.#context, [{ kind: "presence", app, user, presence: "online", at: now }]);
    if (cameOnline) await this.#tellPeers(app, user, "online", now);
  }

  /** P6: the client says goodbye. Where connections are seen, only the connection that holds the lease ends it. */
  async withdrawn(session: Session): Promise<void> {
    if (this.#sessions.withdraw(session) || this.#context.edge.probe !== undefined)
      await this.offline(session);
  }

  /** A connection has ended. */
  async offline({ app, user, clientId }: Pick<Session, "app" | "user" | "clientId">): Promise<void> {
    const { store, clock } = this.#context;
    const now = clock.now();
    const { offline } = await store.presence.end(app, user, clientId, now);
    if (offline) await this.#wentOffline(app, user, now);
  }

  /** A client is gone, for any user. */
  async gone(clientId: string): Promise<void> {
    for (const lease of await this.#context.store.presence.ofClient(clientId)) await this.offline(lease);
  }

  /** Renews the leases of open connections and ends lapsed leases. */
  async sweep(): Promise<void> {
    if (this.#context.edge.probe === undefined) await this.#renewOpen();
    else await this.#probeExpiring();
    const { store, clock } = this.#context;
    const now = clock.now();
    for (const { app, user } of await store.presence.expire(now)) await this.#wentOffline(app, user, now);
  }

  async #renewOpen(): Promise<void> {
    const { store, clock } = this.#context;
    const now = clock.now();
    const expiresAt = now + presenceLeaseMs;
    const leases = [...this.#sessions.announced].map(({ app, user, clientId }) => ({
      app,
      user,
      clientId,
      expiresAt,
    }));
    if (leases.length > 0) await store.presence.renew(leases, now);
  }

  /** Asks the broker, before a lease runs out, whether a client still listens for its user. */
  async #probeExpiring(): Promise<void> {
    const { store, clock, edge } = this.#context;
    for (;;) {
      const now = clock.now();
      const leases = await store.presence.expiring(now + 2 * presenceSweepMs, probedAtOnce);
      const listens = (await edge.probe?.(leases)) ?? [];
      const renewed = leases.filter((_, i) => listens[i]);
      if (renewed.length > 0) {
        const expiresAt = now + presenceLeaseMs;
        await store.presence.renew(
          renewed.map(({ app, user, clientId }) => ({ app, user, clientId, expiresAt })),
          now,
        );
      }
      for (const [i, lease] of leases.entries()) if (!listens[i]) await this.offline(lease);
      if (leases.length < probedAtOnce) return;
    }
  }

  async #wentOffline(app: string, user: string, at: number): Promise<void> {
    if (this.#enabled)
      await handOver(this.#context, [{ kind: "presence", app, user, presence: "offline", at }]);
    await this.#tellPeers(app, user, "offline", at);
  }

  /** Presence only goes to people who share a direct conversation. */
  async #tellPeers(app: string, user: string, presence: "online" | "offline", at: number): Promise<void> {
    const peers = await this.#context.store.conversations.peers(app, user, peersTold);
    const lastSeen = presence === "offline" ? `,"last_seen":${at}` : "";
    const payload = `{"type":"presence","user":"${user}","presence":"${presence}"${lastSeen}}`;
    await deliver(
      this.#context,
      peers.map((peer) => ({
        app,
        user: peer,
        topic: topics.ephemeral(app, peer),
        payload,
        qos: 0 as const,
      })),
    );
  }
}

import { topics } from "@chat21/protocol";
import type { LiveSessions } from "./live-sessions.ts";
import type { OperationsContext } from "./operations-context.ts";
import { deliver, handOver } from "./operations-context.ts";
import type { Session } from "./ports/edge.ts";

/** Life of a lease; renewed while its connection is open. */
const presenceLeaseMs = 150_000;
/** How often open connections renew their leases, and lapsed ones are looked for. */
export const presenceSweepMs = 50_000;

const peersTold = 200;

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

  /** P5: the client is there. Every one is a fact for backends, as existing ones expect; peers hear of changes. */
  async online(session: Session): Promise<void> {
    const { store, clock } = this.#context;
    if (!this.#sessions.announce(session)) return;
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

  /** P6, or a connection that ended. */
  async offline(session: Session): Promise<void> {
    const { store, clock } = this.#context;
    const now = clock.now();
    const { app, user, clientId } = session;
    const { offline } = await store.presence.end(app, user, clientId, now);
    if (offline) await this.#wentOffline(app, user, now);
  }

  /** Renews the leases of open connections and ends those that lapsed. */
  async sweep(): Promise<void> {
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
    for (const { app, user } of await store.presence.expire(now)) await this.#wentOffline(app, user, now);
  }

  async #wentOffline(app: string, user: string, at: number): Promise<void> {
    if (this.#enabled)
      await handOver(this.#context, [{ kind: "presence", app, user, presence: "offline", at }]);
    await this.#tellPeers(app, user, "offline", at);
  }

  /** Presence goes to people who share a direct conversation, nobody else. */
  async #tellPeers(app: string, user: string, presence: "online" | "offline", at: number): Promise<void> {
    const peers = await this.#context.store.conversations.peers(app, user, peersTold);
    const lastSeen = presence === "offline" ? `,"last_seen":${at}` : "";
    const payload = `{"type":"presence","user":"${user}","presence":"${presence}"${lastSeen}}`;
    deliver(
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

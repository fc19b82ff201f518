import type { Session } from "@chat21/engine";

/** So long a client may take to come back and send again. */
const keptMs = 600_000;

/**
 * Packet identifiers of clients whose connection broke before they can have had the acknowledgement. Some clients
 * (MQTT.js) send such a packet again without DUP: over the client's next connection the same identifier is no new one.
 */
export class LostAcknowledgements {
  /** By client, the one that left first in front. */
  readonly #lost = new Map<string, { readonly packetIds: Set<number>; readonly at: number }>();

  note(session: Session, packetIds: Set<number>, nowMs: number): void {
    const key = keyOf(session);
    this.#lost.delete(key);
    for (const [oldest, { at }] of this.#lost) {
      if (nowMs - at < keptMs) break;
      this.#lost.delete(oldest);
    }
    if (packetIds.size > 0) this.#lost.set(key, { packetIds, at: nowMs });
  }

  /** Gives the identifiers to the client's next connection, and forgets them. `null` for none. */
  take(session: Session, nowMs: number): Set<number> | null {
    const key = keyOf(session);
    const found = this.#lost.get(key);
    this.#lost.delete(key);
    return found !== undefined && nowMs - found.at < keptMs ? found.packetIds : null;
  }
}

function keyOf({ app, user, clientId }: Session): string {
  return `${app}/${user}/${clientId}`;
}

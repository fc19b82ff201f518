import type { Positions } from "./sync-ports.ts";
import { Timeline } from "./timeline.ts";

/** The timelines of all conversations, the most recently used last. */
export class Timelines {
  readonly #user: string;
  readonly #timelines = new Map<string, Timeline>();

  constructor(user: string) {
    this.#user = user;
  }

  load({ positions, checkedAt }: Positions): void {
    for (const [conversWith, { seq, message_id }] of Object.entries(positions)) {
      this.#timelines.set(conversWith, new Timeline(this.#user, checkedAt, seq, message_id));
    }
  }

  get(conversWith: string): Timeline | undefined {
    return this.#timelines.get(conversWith);
  }

  /** An empty one where there was none, as of `seenAt`. */
  of(conversWith: string, seenAt: number): Timeline {
    const existing = this.#timelines.get(conversWith);
    if (existing !== undefined) return existing;
    const timeline = new Timeline(this.#user, seenAt);
    this.#timelines.set(conversWith, timeline);
    return timeline;
  }

  /** Something happened there. */
  use(conversWith: string, timeline: Timeline): void {
    this.#timelines.delete(conversWith);
    this.#timelines.set(conversWith, timeline);
  }

  delete(conversWith: string): void {
    this.#timelines.get(conversWith)?.retire();
    this.#timelines.delete(conversWith);
  }

  /** Safe against changes while it is read. */
  entries(): readonly (readonly [conversWith: string, timeline: Timeline])[] {
    return [...this.#timelines];
  }

  /** Where this client stands, in the conversations used last. */
  positions(most = Number.POSITIVE_INFINITY): Positions["positions"] {
    const known = this.entries().filter(([, { position }]) => position > 0);
    const latest = known.length > most ? known.slice(-most) : known;
    return Object.fromEntries(latest.map(([conversWith, timeline]) => [conversWith, positionOf(timeline)]));
  }
}

function positionOf({ position: seq, positionMessageId: id }: Timeline): Positions["positions"][string] {
  return id === undefined ? { seq } : { seq, message_id: id };
}

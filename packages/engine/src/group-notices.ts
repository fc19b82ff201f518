import { limits, topics } from "@chat21/protocol";
import type { Clock } from "./ports/clock.ts";
import type { Delivery, Edge } from "./ports/edge.ts";
import type { Log } from "./ports/telemetry.ts";
import { groupFacts, groupJson } from "./project-conversation.ts";
import type { StateCache } from "./state-cache.ts";
import { sees } from "./view/view.ts";
import { isOpen } from "./working-conversation.ts";

/** A change of a large group, of which its present members are told by S6. */
export interface GroupNotice {
  readonly app: string;
  readonly conversation: string;
  readonly seq: number;
  readonly notification: unknown;
  /** Users who see the number but get no notice. */
  readonly except: ReadonlySet<string>;
}

/** Ports and settings of {@link GroupNotices}. */
export interface GroupNoticesOptions {
  readonly states: StateCache;
  readonly edge: Pick<Edge, "reaches">;
  readonly clock: Clock;
  readonly log: Log;
  readonly deliver: (deliveries: readonly Delivery[]) => Promise<void>;
}

/** A group that was told of lately. */
interface Told {
  /** The newest change that the members were not told of yet; its S6 says everything that the earlier ones said. */
  next: GroupNotice | undefined;
  stop: () => void;
}

/**
 * S6 of large groups. The list of members goes to every member, so one change costs the square of their number. The first
 * change is told at once; those that follow within `limits.groupNoticeMemberMs` for each member are told together, by the
 * group as it is then. A live notice only: what waits when the process is killed is not told; REST has it.
 */
export class GroupNotices {
  readonly #options: GroupNoticesOptions;
  readonly #told = new Map<string, Told>();

  constructor(options: GroupNoticesOptions) {
    this.#options = options;
  }

  /** Tells the members, at once or soon. Resolves when a notice that is told at once is out. */
  async add(notice: GroupNotice): Promise<void> {
    const key = `${notice.app}/${notice.conversation}`;
    const told = this.#told.get(key);
    if (told !== undefined) {
      told.next = notice;
      return;
    }
    // Taken before anything is awaited: what follows finds it.
    const begun: Told = { next: undefined, stop: () => {} };
    this.#told.set(key, begun);
    const members = await this.#tell(notice);
    const pauseMs = Math.max(1, members * limits.groupNoticeMemberMs);
    // Not when everything was drained meanwhile.
    if (this.#told.get(key) === begun) begun.stop = this.#options.clock.every(pauseMs, () => this.#goOn(key));
  }

  /** Tells at once what waits. */
  async drained(): Promise<void> {
    const waiting = [...this.#told.values()];
    this.#told.clear();
    for (const { stop } of waiting) stop();
    await Promise.all(waiting.map(({ next }) => (next === undefined ? undefined : this.#tell(next))));
  }

  #goOn(key: string): void {
    const told = this.#told.get(key);
    if (told === undefined) return;
    const { next } = told;
    told.next = undefined;
    if (next !== undefined) {
      void this.#tell(next);
      return;
    }
    told.stop();
    this.#told.delete(key);
  }

  /** Answers the number of members. */
  async #tell({ app, conversation, seq, notification, except }: GroupNotice): Promise<number> {
    const { states, edge, log, deliver } = this.#options;
    try {
      const state = await states.read(app, conversation);
      if (state.group === null) return 0;
      const payload = groupJson(groupFacts(state, state.group), { withId: true, notification });
      const deliveries: Delivery[] = [];
      for (const member of state.members.values()) {
        const { user, intervals } = member;
        if (!isOpen(member) || !sees(intervals, seq) || except.has(user) || !edge.reaches(app, user))
          continue;
        deliveries.push({ app, user, topic: topics.groupUpdated(app, user, conversation), payload, qos: 1 });
      }
      await deliver(deliveries);
      return state.members.size;
    } catch (err) {
      log.warn({ err, app, conversation }, "the members of a large group did not hear of its change");
      return 0;
    }
  }
}

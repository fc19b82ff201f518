import { overlayText } from "./kinds/kind.ts";
import type { Kinds } from "./kinds/kinds.ts";
import type { PlanFacts, WriteItem } from "./pending-run.ts";
import type { Amendment, EventLog } from "./ports/event-log.ts";
import type { EventRecord } from "./ports/records.ts";
import { overlayOf } from "./project-message.ts";
import type { WorkingConversation } from "./working-conversation.ts";

const keyOf = (app: string, conversation: string, seq: number) => `${app}/${conversation}/${seq}`;

/**
 * The earlier messages that the commands of one batch are about, kept up to date within the batch: each command finds
 * the changes of the commands before it. They are true as of the head that the batch builds on. The commit proves it,
 * because a message only changes with events of its conversation.
 */
export class Targets {
  readonly #kinds: Kinds;
  readonly #found = new Map<string, EventRecord>();

  private constructor(kinds: Kinds) {
    this.#kinds = kinds;
  }

  /** The targets of a batch that names no messages. */
  static none(kinds: Kinds): Targets {
    return new Targets(kinds);
  }

  /** Reads what the items of a batch name. */
  static async read(log: EventLog, kinds: Kinds, batch: readonly WriteItem[]): Promise<Targets> {
    const targets = new Targets(kinds);
    await Promise.all(
      batch.flatMap(({ app, conversation, targets: seqs }) =>
        seqs.map(async (seq) => {
          const range = {
            app,
            conversation,
            after: seq - 1,
            before: seq + 1,
            limit: 1,
            from: "oldest",
          } as const;
          const [event] = await log.read(range);
          if (event !== undefined) targets.#found.set(keyOf(app, conversation, seq), event);
        }),
      ),
    );
    return targets;
  }

  /** A message that a command has named; `null` when there is none. */
  find({ app, conversation }: WorkingConversation, seq: number): EventRecord | null {
    return this.#found.get(keyOf(app, conversation, seq)) ?? null;
  }

  /** Adds what new events make of earlier messages. */
  amend(state: WorkingConversation, events: readonly EventRecord[], { amendments }: PlanFacts): void {
    for (const event of events) {
      const amends = this.#kinds.of(event.type)?.amends;
      if (amends === undefined) continue;
      for (const seq of amends.targets(event)) {
        const target = this.find(state, seq);
        const amended = amends.apply(target === null ? null : overlayOf(target), event);
        const amendment: Amendment = {
          seq,
          overlay: overlayText(amended, event),
          erases: amended.erases === true || amendments.get(seq)?.erases === true,
        };
        amendments.set(seq, amendment);
        if (target !== null) this.#put(target, amendment);
      }
    }
  }

  #put(target: EventRecord, { overlay, erases }: Amendment): void {
    const { app, conversation, seq } = target;
    const body = erases ? "{}" : target.body;
    this.#found.set(keyOf(app, conversation, seq), { ...target, body, overlay });
  }
}

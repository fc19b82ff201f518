import type { ChatError } from "@chat21/protocol";
import { limits } from "@chat21/protocol";
import type { Decide } from "./kinds/plan.ts";
import type { Amendment, EventLog, Run, RunResult } from "./ports/event-log.ts";
import type { EventRecord } from "./ports/records.ts";
import type { WorkingConversation } from "./working-conversation.ts";

/** The result of a command: its events, or the event of an earlier use of its idempotency key. */
export interface WriteResult {
  readonly state: WorkingConversation;
  readonly events: readonly EventRecord[];
  readonly repeated: boolean;
}

/** One command waiting for its turn. */
export interface WriteItem {
  readonly app: string;
  readonly conversation: string;
  readonly decide: Decide;
  /** Numbers of the messages that the decision is about. They are read before the decision. */
  readonly targets: readonly number[];
  /** `sender/clientMessageId`, or `null`. */
  readonly repeatKey: string | null;
  readonly settle: (result: WriteResult) => void;
  readonly fail: (error: ChatError) => void;
  /** The broker's arrival of the command; `undefined` for a command that no broker brought. */
  readonly arrival: Arrival | undefined;
  /** Its last commit failed for good. It is now committed alone, so that it can only hurt itself. */
  alone: boolean;
  /** Refused on this process's memory of the conversation, and decided once more on the stored state. */
  reconsidered: boolean;
}

/** The arrival of a command from a broker that delivers unacknowledged messages again. */
export interface Arrival {
  /** See `Inbound.isCurrent`. */
  readonly isCurrent: () => boolean;
  /** Recognizes the message when it comes again without an idempotency key. */
  readonly again: {
    readonly sender: string;
    readonly body: string;
  } | null;
}

/** The part of a run that one item made. */
export interface Share {
  readonly item: WriteItem;
  readonly events: readonly EventRecord[];
}

/** A run, and the shares that it is made of. */
export interface PendingRun {
  readonly run: Run;
  readonly state: WorkingConversation;
  readonly shares: readonly Share[];
}

/** Changes by the plans of a run, beside the log. */
export interface PlanFacts {
  group: true | undefined;
  readonly members: Set<string>;
  /** By the message's number. */
  readonly amendments: Map<number, Amendment>;
}

/** The run that a conversation's shares make together, on top of `head`. */
export function runOf(
  state: WorkingConversation,
  head: number,
  shares: readonly Share[],
  facts: PlanFacts,
): Run {
  const members = [...facts.members].flatMap((user) => state.members.get(user) ?? []);
  const first = shares[0];
  return {
    app: state.app,
    conversation: state.conversation,
    expectedHead: head,
    events:
      shares.length === 1 && first !== undefined ? first.events : shares.flatMap(({ events }) => events),
    kind: state.kind,
    transient: state.transient,
    ...(facts.group === undefined ? {} : { group: state.group }),
    ...(members.length === 0 ? {} : { members }),
    ...(facts.amendments.size === 0 ? {} : { amendments: [...facts.amendments.values()] }),
  };
}

/** The part of a run that is in the log, found by id. It is for a commit whose outcome was lost. */
export async function storedPart(log: EventLog, run: Run): Promise<RunResult> {
  const { app, conversation, expectedHead, events } = run;
  for (let committed = 0; ; ) {
    const after = expectedHead + committed;
    const limit = Math.min(events.length - committed, limits.listMax);
    const stored = await log.read({ app, conversation, after, limit, from: "oldest" });
    const first = committed;
    while (stored[committed - first]?.messageId === events[committed]?.messageId) {
      committed++;
      if (committed === events.length) return { status: "committed", committed };
    }
    if (committed - first < limit) return { status: "stale", committed };
  }
}

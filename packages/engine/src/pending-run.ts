import type { ChatError } from "@chat21/protocol";
import { limits } from "@chat21/protocol";
import type { Decide } from "./kinds/plan.ts";
import type { Amendment, EventLog, Run, RunResult } from "./ports/event-log.ts";
import type { EventRecord } from "./ports/records.ts";
import type { WorkingConversation } from "./working-conversation.ts";

/** What became of a command: the events it made, or the one an earlier use of its idempotency key made. */
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
  /** Numbers of the messages that the decision is about: they are read before it is asked for. */
  readonly targets: readonly number[];
  /** `sender/clientMessageId`, or `null`. */
  readonly repeatKey: string | null;
  readonly settle: (result: WriteResult) => void;
  readonly fail: (error: ChatError) => void;
  /** What a broker said about the command; `undefined` when none brought it. */
  readonly arrival: Arrival | undefined;
  /** Came back from a commit that failed for good: committed on its own, so that it can only hurt itself. */
  alone: boolean;
  /** Was refused on what this process held of the conversation, and is decided once more on what the store holds. */
  reconsidered: boolean;
}

/** How a command came from a broker that hands over again what it was not told to forget. */
export interface Arrival {
  /** See `Inbound.isCurrent`. */
  readonly isCurrent: () => boolean;
  /** What the message can be known by, where it comes again and has no idempotency key. */
  readonly again: {
    readonly sender: string;
    readonly body: string;
    readonly tempUid: string | null;
  } | null;
}

/** The part of a run that one item made. */
export interface Share {
  readonly item: WriteItem;
  readonly events: readonly EventRecord[];
}

/** A run with what it was made of. */
export interface PendingRun {
  readonly run: Run;
  readonly state: WorkingConversation;
  readonly shares: readonly Share[];
}

/** What the plans of a run change beside the log. */
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

/** How much of a run is in the log, found by id: what is known of a commit whose outcome was lost. */
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

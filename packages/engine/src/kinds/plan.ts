import type { EventRecord, GroupRecord, MemberRecord } from "../ports/records.ts";
import type { WorkingConversation } from "../working-conversation.ts";

/** An event before it has a number. Absent fields are `null`. */
export interface EventDraft {
  readonly type: string;
  readonly sender: string;
  readonly messageId: string;
  readonly body: string;
  readonly clientMessageId?: string | null;
  /** The sender's own clock; `null` = the server's. */
  readonly timestamp?: number | null;
  readonly tempUid?: string | null;
  readonly hiddenFor?: string | null;
  /** @default the setting of the kind */
  readonly listed?: boolean;
}

/**
 * The change of a conversation by a command. Its events get the numbers `head + 1 …` of the state that it was decided
 * on, so a plan may name these numbers. It is decided anew when the state has moved. The events' kinds name the earlier
 * messages that they change.
 */
export interface Plan {
  readonly events: readonly EventDraft[];
  readonly transient?: boolean;
  readonly group?: GroupRecord;
  /** Whole records of the members that change. */
  readonly members?: readonly MemberRecord[];
}

/** Input of a decision besides the state. */
export interface DecisionContext {
  readonly now: number;
  readonly newId: () => string;
  /** The messages that the command named, as they are in the state; `null` for a number without a message. */
  readonly target: (seq: number) => EventRecord | null;
}

/** A rule. Pure, and may be called again. Throws `ChatError` to refuse; a plan without events changes nothing. */
export type Decide = (state: WorkingConversation, context: DecisionContext) => Plan;

/** The part of `Kinds` that numbering needs. */
export interface ListedKinds {
  of(type: string): { readonly listed: boolean } | undefined;
}

/** Numbers the plan's events on top of the state and advances the state by them. */
export function advance(
  state: WorkingConversation,
  plan: Plan,
  now: number,
  kinds: ListedKinds,
): EventRecord[] {
  const events = plan.events.map((draft): EventRecord => {
    state.head += 1;
    state.lastTimestamp = Math.max(draft.timestamp ?? now, state.lastTimestamp + 1);
    return {
      app: state.app,
      conversation: state.conversation,
      seq: state.head,
      type: draft.type,
      sender: draft.sender,
      clientMessageId: draft.clientMessageId ?? null,
      messageId: draft.messageId,
      timestamp: state.lastTimestamp,
      committedAt: now,
      body: draft.body,
      tempUid: draft.tempUid ?? null,
      hiddenFor: draft.hiddenFor ?? null,
      listed: draft.listed ?? kinds.of(draft.type)?.listed ?? false,
      overlay: null,
    };
  });
  if (plan.transient !== undefined) state.transient = plan.transient;
  if (plan.group !== undefined) state.group = plan.group;
  for (const member of plan.members ?? []) state.seat(member);
  return events;
}

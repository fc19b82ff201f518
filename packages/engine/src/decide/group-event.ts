import type { EventType } from "@chat21/protocol";
import type { DecisionContext, EventDraft } from "./plan.ts";

/** What S6 tells about a change, beside the group itself. */
interface GroupNotification {
  readonly messagelabel: { readonly key: string; readonly parameters: Readonly<Record<string, unknown>> };
}

/** Body of every event of a group's log that is not a message. */
export interface GroupEventBody {
  readonly member_id?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly attributes?: unknown;
  readonly notification?: GroupNotification;
  /** Whether the group's new data goes to its members as S6. */
  readonly announce: boolean;
  /**
   * One of very many changes: told live to the member that it is about and to nobody else, without the history. The
   * others see the gap before the next event and ask for it.
   */
  readonly quiet?: true;
  /** Users who see the number but hear nothing of it: they were no members yet. */
  readonly except?: readonly string[];
}

/** An event of a group's log that is not a message. */
export function groupEvent(
  type: Exclude<EventType, "message" | "erased">,
  actor: string,
  body: GroupEventBody,
  context: DecisionContext,
): EventDraft {
  return {
    type,
    sender: actor,
    clientMessageId: null,
    messageId: context.newId(),
    timestamp: null,
    body: JSON.stringify(body),
    tempUid: null,
    hiddenFor: null,
    listed: false,
  };
}

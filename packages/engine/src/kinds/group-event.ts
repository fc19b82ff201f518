import type { EventKind } from "@chat21/protocol";
import { limits, topics } from "@chat21/protocol";
import type { EventRecord, MemberRecord } from "../ports/records.ts";
import { groupFacts, groupJson } from "../project-conversation.ts";
import { eventJson } from "../project-event.ts";
import { sees } from "../view/view.ts";
import type { WorkingConversation } from "../working-conversation.ts";
import { isOpen } from "../working-conversation.ts";
import type { Kind } from "./kind.ts";
import type { DecisionContext, EventDraft } from "./plan.ts";

/** Content of S6 about a change, beside the group itself. */
interface GroupNotification {
  readonly messagelabel: { readonly key: string; readonly parameters: Readonly<Record<string, unknown>> };
}

/** Body of every event that changes a group. The first four fields are its `data` on the wire. */
export interface GroupEventBody {
  readonly member_id?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly attributes?: unknown;
  readonly notification?: GroupNotification;
  /** Whether the group's new data goes to its members as S6. */
  readonly announce: boolean;
  /**
   * One of very many changes: told live only to the member that it is about, without the history. The others see the
   * gap before the next event and ask for it.
   */
  readonly quiet?: true;
  /** Users who see the number but get no notice: they were no members yet. */
  readonly except?: readonly string[];
}

/** The event's body. */
export function groupBody(event: EventRecord): GroupEventBody {
  return JSON.parse(event.body) as GroupEventBody;
}

/** An event that changes a group. */
export function groupEvent(
  type: "group_created" | "group_updated" | "member_added" | "member_removed",
  actor: string,
  body: GroupEventBody,
  context: DecisionContext,
): EventDraft {
  return { type, sender: actor, messageId: context.newId(), body: JSON.stringify(body) };
}

/**
 * A kind that changes a group: members hear of it on `…/event`, and old clients by S6 with the group as it is now.
 * Backends hear of it by the info message beside it.
 */
export function groupKind(wire: EventKind): Kind {
  return { wire, listed: false, tell: tellMembers, data: dataOf };
}

/** The body without the server's own fields. */
function dataOf(event: EventRecord): string {
  const { announce: _, except: __, notification: ___, quiet: ____, ...data } = groupBody(event);
  return JSON.stringify(data);
}

function tellMembers(...[event, state, outlet]: Parameters<Kind["tell"]>): void {
  const { app, conversation } = event;
  const body = groupBody(event);
  const payload = eventJson(event, outlet.epoch, conversation, dataOf(event));
  const { notification } = body;
  const { group } = state;
  const except = new Set(body.except);
  const isAnnounced = body.announce && group !== null;
  const isLarge = state.members.size > limits.interleavedMembers;
  let announced: string | undefined;
  for (const member of audienceOf(state, body)) {
    const { user, intervals } = member;
    if (!sees(intervals, event.seq) || except.has(user) || !outlet.reaches(user)) continue;
    outlet.deliver(user, topics.event(app, user, conversation), payload);
    if (!isAnnounced || (isLarge && isOpen(member))) continue;
    announced ??= groupJson(groupFacts(state, group), { withId: true, notification });
    outlet.deliver(user, topics.groupUpdated(app, user, conversation), announced);
  }
  if (isAnnounced && isLarge) outlet.announce({ app, conversation, seq: event.seq, notification, except });
}

function audienceOf(
  state: WorkingConversation,
  { quiet, member_id: about }: GroupEventBody,
): Iterable<MemberRecord> {
  if (quiet !== true) return state.members.values();
  const member = about === undefined ? undefined : state.members.get(about);
  return member === undefined ? [] : [member];
}

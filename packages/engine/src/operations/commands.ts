import { ChatError, validate } from "@chat21/protocol";
import type { CommandActor, KindCommand, KindRequest } from "../kinds/kind.ts";
import type { Decide } from "../kinds/plan.ts";
import type { OperationsContext } from "../operations-context.ts";
import { resolveConversation } from "../operations-context.ts";
import { earlierWrite } from "../pipeline.ts";
import type { EventRecord } from "../ports/records.ts";
import { isErased } from "../project-message.ts";
import { isVisible } from "../view/view.ts";

/**
 * Runs the command of a kind; `undefined` when no kind has it. Resolves with the event when it is committed and told.
 * The same `request_id` of the same user again answers the first event. Throws `bad_request`, `not_member`, `not_found`
 * (a target that is no message, is erased or not visible), `idempotency_conflict`, and the refusals of the kind.
 */
export function runCommand(
  context: OperationsContext,
  app: string,
  actor: CommandActor,
  object: Readonly<Record<string, unknown>>,
): Promise<EventRecord> | undefined {
  const command = context.kinds.command(object["type"]);
  if (command === undefined) return undefined;
  const request = validate(command.schema, object) as KindRequest;
  return write(context, app, actor, request, command.rules as KindCommand<KindRequest>);
}

async function write(
  context: OperationsContext,
  app: string,
  actor: CommandActor,
  request: KindRequest,
  rules: KindCommand<KindRequest>,
): Promise<EventRecord> {
  context.requireService(app);
  context.budgets.spend("message", app, actor);
  const conversation = await resolveConversation(context, app, actor.user, request.conversWith);
  const targets = [...new Set(rules.targets(request))];
  const id = request.request_id;
  const options = { repeatKey: `${app}/${actor.user}/${id}`, targets };
  const { events, repeated } = await context.writer
    .write(app, conversation, decideCommand(actor, request, rules, targets), options)
    .catch((refusal: ChatError) => earlierWrite(context, app, actor.user, id, refusal));
  const event = events[0];
  if (event === undefined) throw new ChatError("internal", "a command made no event");
  if (repeated && (event.conversation !== conversation || event.type === "message")) {
    throw new ChatError("idempotency_conflict", "request_id was used for something else");
  }
  return event;
}

function decideCommand(
  actor: CommandActor,
  request: KindRequest,
  rules: KindCommand<KindRequest>,
  targets: readonly number[],
): Decide {
  return (state, context) => {
    const member = state.members.get(actor.user);
    if (!actor.admin && !state.isMember(actor.user)) throw new ChatError("not_member");
    const found = targets.map((seq) => {
      const target = context.target(seq);
      const isThere = target?.type === "message" && !isErased(target);
      if (!isThere || (!actor.admin && (member === undefined || !isVisible(target, member)))) {
        throw new ChatError("not_found", `there is no message ${seq} for this user`);
      }
      return target;
    });
    rules.may(actor, state, request, found);
    const plan = rules.decide(actor, request, context);
    const [first, ...others] = plan.events;
    if (first === undefined) return plan;
    return { ...plan, events: [{ ...first, clientMessageId: request.request_id }, ...others] };
  };
}

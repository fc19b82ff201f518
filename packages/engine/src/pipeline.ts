/**
 * The way of a message, in one direction only. Every message takes these steps in this order, from MQTT and from REST:
 *
 * 1. decode      `decode-message.ts`: JSON within the limits, the server's own keys cut out
 * 2. admit       here: the app is served, the sender is within its rate, the ids fit
 * 3. authorize   `kinds/message.ts` (`sendMessage`), asked by the writer on the conversation's state: who may write where
 * 4. number      `kinds/plan.ts` (`advance`): `head + 1`, a timestamp that ascends
 * 5. commit      `writer.ts`: one batch at a time into `Store.events`, fenced by the number
 * 6. deliver     `dispatcher.ts`: what `tell` of the event's kind says to clients
 * 7. hand over   `dispatcher.ts`: facts to webhooks and queues, then the dispatch mark
 * 8. acknowledge `outcomes.ts` settles the write; PUBACK, 2xx, or the sender's own copy follow
 *
 * The commands of other kinds take the same steps from 3 on (`operations/commands.ts`).
 */
import { ChatError, conversationIdOf, isUserId, looksLikeGroupId } from "@chat21/protocol";
import type { DecodedMessage } from "./decode-message.ts";
import type { Sender } from "./kinds/message.ts";
import { requireRoutable, sendMessage } from "./kinds/message.ts";
import type { Decide } from "./kinds/plan.ts";
import type { OperationsContext } from "./operations-context.ts";
import type { Arrival } from "./pending-run.ts";
import type { Inbound } from "./ports/edge.ts";
import type { EventRecord } from "./ports/records.ts";
import { isErased } from "./project-message.ts";
import type { Delivered, RepeatKey } from "./repeat-key.ts";
import { repeatKeyOf } from "./repeat-key.ts";

/**
 * Takes a decoded message through steps 2 to 8. The same idempotency key answers the event that was stored first; a
 * message without one has the key that `repeat-key.ts` makes.
 */
export async function sendDecoded(
  context: OperationsContext,
  app: string,
  sender: Sender,
  recipient: string,
  message: DecodedMessage,
  inbound?: InboundMessage,
): Promise<Sent> {
  context.requireService(app);
  context.requireRoom();
  if (inbound?.redelivered !== true) {
    context.budgets.spend("message", app, sender);
    context.budgets.spend("message_characters", app, sender, message.body.length);
  }
  requireRoutable(app, sender.user, recipient);
  const isGroup = message.isForGroup || looksLikeGroupId(recipient);
  if (!isGroup && !isUserId(recipient))
    throw new ChatError("invalid_id", "the recipient's id is too long for a user's");
  const conversation = conversationIdOf(sender.user, recipient, isGroup);
  const { clientMessageId } = message;
  const key = clientMessageId === null ? repeatKeyOf(conversation, message, inbound) : null;
  const arrival = arrivalOf(inbound, sender, message);
  const write: Write = async (id) => {
    const rule = sendMessage(sender, { ...message, clientMessageId: id }, context.mayBegin(recipient));
    const decide = withinReach(context, app, sender, rule);
    const repeatKey = id === null ? null : `${app}/${sender.user}/${id}`;
    const { events, repeated } = await context.writer
      .write(app, conversation, decide, { repeatKey, arrival })
      .catch((refusal: ChatError) => earlierWrite(context, app, sender.user, id, refusal, key));
    const event = events[0];
    if (event === undefined) throw new ChatError("internal", "a send made no event");
    return { event, repeated };
  };
  const sent = key === null ? await write(clientMessageId) : await writeUnder(key, context, write);
  const { event, repeated } = sent;
  if (repeated) {
    context.metrics.count("repeats");
    // A message that was erased since has no body to compare with, and is not delivered again.
    const isSame = event.type === "message" && !isErased(event) && event.conversation === conversation;
    if (!isSame || event.body !== message.body) {
      throw new ChatError(
        "idempotency_conflict",
        "the id was used for another message, or its message was erased",
      );
    }
    context.dispatcher.repeat(event);
  }
  return sent;
}

/**
 * The rule, as long as the sender has budget for the people whom the plan reaches first. They cost once, however often the
 * rule is asked.
 */
function withinReach({ budgets }: OperationsContext, app: string, sender: Sender, rule: Decide): Decide {
  let paid = 0;
  return (state, decision) => {
    const plan = rule(state, decision);
    if (plan.members === undefined) return plan;
    const reached = plan.members.filter(
      ({ user }) => user !== sender.user && !state.members.has(user),
    ).length;
    if (reached > paid) budgets.reach(app, sender, reached - paid);
    paid = Math.max(paid, reached);
    return plan;
  };
}

/** A message as an edge delivered it. */
type InboundMessage = Delivered & Pick<Inbound, "isCurrent">;

/** A stored message; `repeated`: it was stored before. */
interface Sent {
  readonly event: EventRecord;
  readonly repeated: boolean;
}

type Write = (clientMessageId: string | null) => Promise<Sent>;

/**
 * Writes under the first key that no other message has. More than one try is rare: a message that looks like an earlier
 * one, and is not.
 */
async function writeUnder(
  key: RepeatKey,
  { clock, store }: Pick<OperationsContext, "clock" | "store">,
  write: Write,
): Promise<Sent> {
  const isDone = ({ event, repeated }: Sent) => !repeated || key.isSame(event, clock.now());
  const first = await write(key.id);
  if (isDone(first)) return first;
  const { present, past } = key.later(clock.now());
  const earlier = await store.events.findByClientMessageId(first.event.app, first.event.sender, past);
  if (earlier !== null && key.isSame(earlier, clock.now())) return { event: earlier, repeated: true };
  const second = await write(present);
  return isDone(second) ? second : write(null);
}

function arrivalOf(
  inbound: InboundMessage | undefined,
  { user }: Sender,
  { body, clientMessageId }: DecodedMessage,
): Arrival | undefined {
  if (inbound?.isCurrent === undefined) return undefined;
  const again = inbound.redelivered === true && clientMessageId === null ? { sender: user, body } : null;
  return { isCurrent: inbound.isCurrent, again };
}

/**
 * The event that was stored under the id before the same request was refused. So a sender that has lost its right to
 * send, or the target of its command, still learns that the first request was done. Throws the refusal when there is no
 * such event.
 */
export async function earlierWrite(
  { store, clock }: OperationsContext,
  app: string,
  sender: string,
  clientMessageId: string | null,
  refusal: ChatError,
  key: RepeatKey | null = null,
): Promise<{ readonly events: readonly EventRecord[]; readonly repeated: boolean }> {
  if (clientMessageId === null || refusal.retryable) throw refusal;
  const event = await store.events.findByClientMessageId(app, sender, clientMessageId);
  if (event === null || key?.isSame(event, clock.now()) === false) throw refusal;
  return { events: [event], repeated: true };
}

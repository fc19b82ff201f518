import type { EraseCommand, Range } from "@chat21/protocol";
import { ChatError, conversWithOf, eventKinds, topics } from "@chat21/protocol";
import { eventJson } from "../project-event.ts";
import { isVisible } from "../view/view.ts";
import { hasOwnerRights } from "./group-rights.ts";
import type { Kind, KindCommand } from "./kind.ts";
import type { Decide, DecisionContext, EventDraft } from "./plan.ts";

/** Messages were erased. Every user who saw one of them hears of it, former members too. */
export const erased: Kind = {
  wire: eventKinds.erased,
  listed: false,
  data: ({ body }) => body,
  command: {
    targets: ({ seqs }) => seqs,
    may(actor, state, _request, targets) {
      if (actor.admin || hasOwnerRights(state, actor.user)) return;
      if (targets.every(({ sender }) => sender === actor.user)) return;
      throw new ChatError("forbidden", "only the sender, the group's owner or an admin may erase a message");
    },
    decide: ({ user }, { seqs }, context) => ({ events: [erasure(user, seqs, context)] }),
  } satisfies KindCommand<EraseCommand>,
  amends: {
    targets: ({ body }) => numbersIn((JSON.parse(body) as { seqs: Range[] }).seqs),
    apply: (_before, { sender, timestamp }) => ({
      overlay: { deleted: { by: sender, at: timestamp } },
      erases: true,
    }),
  },
  tell(event, state, outlet) {
    const { app, conversation, body } = event;
    const numbers = numbersIn((JSON.parse(body) as { seqs: Range[] }).seqs);
    for (const member of state.members.values()) {
      const { user } = member;
      if (!outlet.reaches(user)) continue;
      if (!numbers.some((seq) => isVisible({ seq, hiddenFor: null }, member))) continue;
      const conversWith = conversWithOf(conversation, user);
      const payload = eventJson(event, outlet.epoch, conversWith, body);
      outlet.deliver(user, topics.event(app, user, conversWith), payload);
    }
    if (outlet.takesFacts) outlet.fact({ kind: "event", name: "message-deleted", event, data: body });
  },
};

/** Erases messages on behalf of an operation. The operation found them in the log itself and has checked the rights. */
export function eraseMessages(actor: string, seqs: readonly number[]): Decide {
  return (_state, context) => ({ events: [erasure(actor, seqs, context)] });
}

function erasure(sender: string, seqs: readonly number[], context: DecisionContext): EventDraft {
  const body = JSON.stringify({ seqs: rangesOf(seqs) });
  return { type: "erased", sender, messageId: context.newId(), body };
}

function rangesOf(numbers: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (const seq of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === seq - 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}

function numbersIn(ranges: readonly Range[]): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

import { type Kind, type KindCommand, type KindRequest, tellMembers } from "@chat21/engine";
import { ChatError, defineEventKind } from "@chat21/protocol";
import * as z from "zod/mini";

/** The name of the kind, on the wire and in the tables. */
export const starredType = "starred";

/** The name of its webhook. */
export const starredWebhook = "message-starred";

interface Star extends KindRequest {
  readonly seq: number;
}

/**
 * A whole kind in one file: members give stars to messages of others, and every reader sees whose stars a message has.
 */
export const starred: Kind = {
  wire: defineEventKind({
    code: 62,
    data: z.looseObject({ seq: z.number() }),
    command: {
      type: "star",
      schema: z.object({
        type: z.literal("star"),
        request_id: z.string(),
        conversWith: z.string(),
        seq: z.int(),
      }),
    },
  }),
  listed: false,
  data: ({ body }) => body,
  command: {
    targets: ({ seq }) => [seq],
    may(actor, _state, _request, [target]) {
      if (target?.sender === actor.user) throw new ChatError("forbidden", "nobody stars an own message");
    },
    decide: ({ user }, { seq }, context) => ({
      events: [
        { type: starredType, sender: user, messageId: context.newId(), body: JSON.stringify({ seq }) },
      ],
    }),
  } satisfies KindCommand<Star>,
  amends: {
    targets: ({ body }) => [(JSON.parse(body) as { seq: number }).seq],
    apply: (before, { sender }) => {
      const stars = (before?.["stars"] as readonly string[] | undefined) ?? [];
      return { overlay: { ...before, stars: [...stars, sender] } };
    },
  },
  tell(event, state, outlet) {
    tellMembers(event, state, outlet, event.body);
    if (outlet.takesFacts) outlet.fact({ kind: "event", name: starredWebhook, event, data: event.body });
  },
};

/** The part of a message that {@link reduceStar} changes. */
interface Attributed {
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The SDK's reducer of the kind: a client shows the stars of a message in its attributes. */
export function reduceStar<Message extends Attributed, Event extends StarEvent>(
  conversation: StarredConversation<Message, Event>,
  event: Event,
): void {
  const seq = event.data?.["seq"];
  if (typeof seq !== "number") return;
  conversation.amend(event, [[seq, seq]], (message) => {
    const stars = (message.attributes["stars"] as readonly string[] | undefined) ?? [];
    return { ...message, attributes: { ...message.attributes, stars: [...stars, event.sender] } };
  });
}

interface StarEvent {
  readonly sender: string;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

interface StarredConversation<Message, Event> {
  amend(event: Event, ranges: [number, number][], change: (message: Message) => Message): void;
}

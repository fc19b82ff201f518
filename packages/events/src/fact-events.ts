import type { Fact, InboxCopy } from "@chat21/engine";
import { conversWithOf, messageStatus, outsideJson, topics, toRoutingKey } from "@chat21/protocol";
import { conversationBody, eventBody, messageBody, presenceBody, receiptBody } from "./event-body.ts";

/** An event without its destinations. */
export interface BackendEventDraft {
  /** A webhook event's name. */
  readonly event: string;
  readonly app: string;
  /** Events of one key are delivered one after the other. */
  readonly orderKey: string;
  /** Values that together distinguish this event from all others of its name in the app. */
  readonly identity: readonly (string | number)[];
  /** The request's body, as of `createdAt` (ms), with users' ids as they are outside. */
  readonly body: (createdAt: number) => string;
}

/** Turns a fact into its wanted events for backends, in the order in which they are to be told. */
export function eventsOf(fact: Fact, wanted: ReadonlySet<string>): readonly BackendEventDraft[] {
  return draftsOf(fact, wanted).map((draft) => ({
    ...draft,
    body: (createdAt) => outsideJson(draft.body(createdAt)),
  }));
}

function draftsOf(fact: Fact, wanted: ReadonlySet<string>): readonly BackendEventDraft[] {
  switch (fact.kind) {
    case "message":
      return [
        ...(wanted.has("message-sent") ? [messageEvent("message-sent", fact, fact.sent)] : []),
        ...(wanted.has("message-delivered") ? deliveriesOf(fact) : []),
      ];
    case "history":
      return wanted.has("message-delivered")
        ? [messageEvent("message-delivered", fact, fact.delivered, "history")]
        : [];
    case "receipt":
      return (["message-received", "message-return-receipt"] as const)
        .filter((event) => wanted.has(event))
        .map((event) => receiptEvent(event, fact));
    case "archived":
    case "unarchived":
      return [conversationEvent(fact)].filter(({ event }) => wanted.has(event));
    case "event":
      return wanted.has(fact.name) ? [logEvent(fact)] : [];
    case "presence":
      return wanted.has("presence-change") ? [presenceEvent(fact)] : [];
  }
}

function deliveriesOf(fact: Extract<Fact, { kind: "message" }>): readonly BackendEventDraft[] {
  return (
    fact.delivered
      // The copy that a direct message's sender gets was announced as sent.
      .filter((copy) => copy.status === messageStatus.delivered)
      .map((copy) => messageEvent("message-delivered", fact, copy))
  );
}

function messageEvent(
  event: "message-sent" | "message-delivered",
  { event: { app, conversation, sender, messageId } }: Pick<Extract<Fact, { kind: "message" }>, "event">,
  copy: InboxCopy,
  ...occasion: readonly string[]
): BackendEventDraft {
  return {
    event,
    app,
    orderKey: conversationKey(app, conversation),
    identity: [conversation, messageId, copy.user, ...occasion],
    body: (createdAt) =>
      messageBody({
        event,
        createdAt,
        app,
        recipient: conversWithOf(conversation, sender),
        messageId,
        message: copy.payload,
        topic: toRoutingKey(topics.messageAdded(app, copy.user, copy.conversWith)),
        deliveredTo: copy.user,
      }),
  };
}

function receiptEvent(
  event: "message-received" | "message-return-receipt",
  fact: Extract<Fact, { kind: "receipt" }>,
): BackendEventDraft {
  const { app, conversation, user, conversWith, messageId, at } = fact;
  // Two sides of one receipt: the receiver's copy and the sender's copy.
  const [owner, other, status] =
    event === "message-received"
      ? [user, conversWith, messageStatus.received]
      : [conversWith, user, messageStatus.returnReceipt];
  return {
    event,
    app,
    orderKey: conversationKey(app, conversation),
    identity: [conversation, messageId, user, at],
    body: (createdAt) =>
      receiptBody({
        event,
        createdAt,
        app,
        recipient: user,
        messageId,
        owner,
        status,
        topic: toRoutingKey(topics.messageUpdated(app, owner, other, messageId)),
      }),
  };
}

function conversationEvent(fact: Extract<Fact, { kind: "archived" | "unarchived" }>): BackendEventDraft {
  const { app, conversation, user, conversWith, document, at } = fact;
  const event = fact.kind === "archived" ? "conversation-archived" : "conversation-unarchived";
  const topic =
    fact.kind === "archived"
      ? topics.conversationArchive(app, user, conversWith)
      : topics.archivedConversationDeleted(app, user, conversWith);
  return {
    event,
    app,
    orderKey: conversationKey(app, conversation),
    identity: [conversation, user, at],
    body: (createdAt) =>
      conversationBody({ event, createdAt, app, user, conversWith, document, topic: toRoutingKey(topic) }),
  };
}

function logEvent({ name, event, data }: Extract<Fact, { kind: "event" }>): BackendEventDraft {
  const { app, conversation, sender, seq, messageId } = event;
  const recipient = conversWithOf(conversation, sender);
  return {
    event: name,
    app,
    orderKey: conversationKey(app, conversation),
    identity: [conversation, messageId],
    body: (createdAt) => eventBody({ event: name, createdAt, app, sender, recipient, seq, data }),
  };
}

function presenceEvent({ app, user, presence, at }: Extract<Fact, { kind: "presence" }>): BackendEventDraft {
  return {
    event: "presence-change",
    app,
    orderKey: `${app}/presence/${user}`,
    identity: [user, presence, at],
    body: (createdAt) => presenceBody({ presence, createdAt, app, user }),
  };
}

/** `/` cannot occur in an id, so two parts never look like the three of presence. */
function conversationKey(app: string, conversation: string): string {
  return `${app}/${conversation}`;
}

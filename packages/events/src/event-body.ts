/** JSON text of a string: the only part of a body that is serialised here. Documents are spliced in as they are. */
const quote = (text: string) => JSON.stringify(text);

/** Contents of `message-sent` and `message-delivered`. */
export interface MessageBody {
  readonly event: string;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly app: string;
  /** The user or group that was written to. */
  readonly recipient: string;
  readonly messageId: string;
  /** The copy, JSON text. */
  readonly message: string;
  /** Dotted form of the topic on which the copy was published. */
  readonly topic: string;
  /** The user whose inbox has the copy. */
  readonly deliveredTo: string;
}

/** Body of `message-sent` and `message-delivered`. */
export function messageBody(of: MessageBody): string {
  return (
    `{"event_type":${quote(of.event)},"createdAt":${of.createdAt},"recipient_id":${quote(of.recipient)},` +
    `"app_id":${quote(of.app)},"message_id":${quote(of.messageId)},"data":${of.message},` +
    `"extras":{"topic":${quote(of.topic)}},"delivered_to":${quote(of.deliveredTo)}}`
  );
}

/** Contents of `message-received` and `message-return-receipt`. */
export interface ReceiptBody {
  readonly event: string;
  readonly createdAt: number;
  readonly app: string;
  /** Who received the message. */
  readonly recipient: string;
  /** As the receiver named it. */
  readonly messageId: string;
  /** The user whose copy has the new status. */
  readonly owner: string;
  readonly status: number;
  readonly topic: string;
}

/** Body of `message-received` and `message-return-receipt`. */
export function receiptBody(of: ReceiptBody): string {
  const data = `{"timelineOf":${quote(of.owner)},"message_id":${quote(of.messageId)},"status":${of.status}}`;
  return (
    `{"event_type":${quote(of.event)},"createdAt":${of.createdAt},"recipient_id":${quote(of.recipient)},` +
    `"app_id":${quote(of.app)},"message_id":${quote(of.messageId)},"data":${data},` +
    `"extras":{"topic":${quote(of.topic)}},"delivered_to":${quote(of.owner)}}`
  );
}

/** Contents of `conversation-archived` and `conversation-unarchived`. */
export interface ConversationBody {
  readonly event: string;
  readonly createdAt: number;
  readonly app: string;
  /** The user whose list has the conversation. */
  readonly user: string;
  readonly conversWith: string;
  /** The conversation, JSON text. */
  readonly document: string;
  readonly topic: string;
}

/** Body of `conversation-archived` and `conversation-unarchived`. */
export function conversationBody(of: ConversationBody): string {
  return (
    `{"event_type":${quote(of.event)},"createdAt":${of.createdAt},"app_id":${quote(of.app)},` +
    `"user_id":${quote(of.user)},"recipient_id":${quote(of.conversWith)},"convers_with":${quote(of.conversWith)},` +
    `"data":${of.document},"extras":{"topic":${quote(of.topic)}}}`
  );
}

/** Contents of the webhooks of other events of a conversation, such as `message-deleted`. */
export interface LogEventBody {
  readonly event: string;
  /** Milliseconds. */
  readonly createdAt: number;
  readonly app: string;
  /** Who did it. */
  readonly sender: string;
  /** The user or group that the sender's conversation is with. */
  readonly recipient: string;
  /** Number of the event in the conversation. */
  readonly seq: number;
  /** The event's `data`, JSON text. */
  readonly data: string;
}

/** Body of the webhooks of other events of a conversation. */
export function eventBody(of: LogEventBody): string {
  return (
    `{"event_type":${quote(of.event)},"createdAt":${of.createdAt},"recipient_id":${quote(of.recipient)},` +
    `"app_id":${quote(of.app)},"user_id":${quote(of.sender)},"seq":${of.seq},"data":${of.data}}`
  );
}

/** Contents of `presence-change`. */
export interface PresenceBody {
  readonly presence: "online" | "offline";
  readonly createdAt: number;
  readonly app: string;
  readonly user: string;
}

/** Body of `presence-change`. */
export function presenceBody(of: PresenceBody): string {
  return (
    `{"event_type":"presence-change","presence":"${of.presence}","createdAt":${of.createdAt},` +
    `"app_id":${quote(of.app)},"user_id":${quote(of.user)},"data":true}`
  );
}

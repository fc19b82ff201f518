import {
  answerSchema,
  commandSchema,
  conversationPatchSchema,
  conversationSchema,
  ephemeralSchema,
  eventKinds,
  eventSchema,
  groupSchema,
  messageSchema,
  outgoingMessageSchema,
  presenceSchema,
  receiptSchema,
  receiptUpdateSchema,
  topics,
} from "@chat21/protocol";
import * as z from "zod";

/** One kind of MQTT topic, and its messages. */
export interface Channel {
  /** Unique name. */
  readonly id: string;
  /** With `{name}` for a level that varies. */
  readonly address: string;
  /** Seen from the server: it receives the messages that clients publish. */
  readonly action: "receive" | "send";
  readonly summary: string;
  /** Messages by name. */
  readonly messages: Readonly<Record<string, z.core.$ZodType>>;
  /** The channel on which the answer to it comes. */
  readonly answeredOn?: string;
}

const [app, user, conversWith] = ["{app}", "{user}", "{conversWith}"] as const;
const [messageId, device] = ["{messageId}", "{device}"] as const;

const patchSchema = z.looseObject({
  ...conversationPatchSchema.shape,
  timelineOf: z.string(),
  conversWith: z.string(),
});

/** `…/event` of each kind that has `data`. A message has a channel of its own. */
function eventMessages(): Channel["messages"] {
  const { message: _message, ...kinds } = eventKinds;
  return Object.fromEntries(
    Object.entries(kinds).map(([type, { data }]) => [
      type,
      z.looseObject({ ...eventSchema.shape, type: z.literal(type), data }),
    ]),
  );
}

/** Commands of the protocol, and those of kinds of events. */
function commandMessages(): Channel["messages"] {
  const own = commandSchema.def.options.map((option) => [[...option.shape.type.def.values][0], option]);
  const ofKinds = Object.values(eventKinds).flatMap((kind) =>
    "command" in kind && kind.command !== undefined ? [[kind.command.type, kind.command.schema]] : [],
  );
  return Object.fromEntries([...own, ...ofKinds]);
}

/** Channels that clients publish on. */
const incoming: readonly Omit<Channel, "action">[] = [
  {
    id: "outgoingMessage",
    address: topics.outgoing(app, user, conversWith),
    summary: "P1: sends a message to a user or a group.",
    messages: { outgoingMessage: outgoingMessageSchema },
    answeredOn: "answer",
  },
  {
    id: "formerOutgoingMessage",
    address: topics.formerOutgoing(app, user, conversWith),
    summary: "P1 of clients before 0.1.8.",
    messages: { outgoingMessage: outgoingMessageSchema },
    answeredOn: "answer",
  },
  {
    id: "receipt",
    address: topics.receipt(app, user, conversWith, messageId),
    summary: "P2: a device has the message (status 200).",
    messages: { receipt: receiptSchema },
  },
  {
    id: "conversationUpdate",
    address: topics.conversationUpdate(app, user, conversWith),
    summary: "P3: the conversation was read, or is marked unread.",
    messages: { conversationPatch: conversationPatchSchema },
  },
  {
    id: "conversationArchive",
    address: topics.conversationArchive(app, user, conversWith),
    summary: "P4: archives the conversation.",
    messages: { archive: z.looseObject({}) },
  },
  {
    id: "presence",
    address: topics.presence(app, user, "{clientId}"),
    summary: "P5 and P6: the client is there, or leaves; P6 is also the Last Will.",
    messages: { presence: presenceSchema },
  },
  {
    id: "command",
    address: topics.command(app, user, device),
    summary: "A command of one device. Each is answered.",
    messages: commandMessages(),
    answeredOn: "answer",
  },
];

/** Channels that clients receive from. */
const outgoing: readonly Omit<Channel, "action">[] = [
  {
    id: "messageAdded",
    address: topics.messageAdded(app, user, conversWith),
    summary: "S1: a message in the user's inbox, also the user's own.",
    messages: { message: messageSchema },
  },
  {
    id: "messageUpdated",
    address: topics.messageUpdated(app, user, conversWith, messageId),
    summary: "S2: a receipt for one of the user's messages.",
    messages: { receiptUpdate: receiptUpdateSchema },
  },
  {
    id: "conversationUpdated",
    address: topics.conversationUpdated(app, user, conversWith),
    summary: "S3: what changed in one of the user's conversations.",
    messages: { conversationPatched: patchSchema },
  },
  {
    id: "conversationDeleted",
    address: topics.conversationDeleted(app, user, conversWith),
    summary: "S4: the conversation left the active list.",
    messages: { conversation: conversationSchema },
  },
  {
    id: "archivedConversationAdded",
    address: topics.archivedConversationAdded(app, user, conversWith),
    summary: "S5: the conversation entered the archive.",
    messages: { conversation: conversationSchema },
  },
  {
    id: "archivedConversationDeleted",
    address: topics.archivedConversationDeleted(app, user, conversWith),
    summary: "The conversation left the archive, because a newer message came.",
    messages: { archiveExit: z.looseObject({ timelineOf: z.string(), conversWith: z.string() }) },
  },
  {
    id: "groupUpdated",
    address: topics.groupUpdated(app, user, conversWith),
    summary: "S6: a group's new data.",
    messages: { group: groupSchema },
  },
  {
    id: "event",
    address: topics.event(app, user, conversWith),
    summary:
      "An event of the conversation's log that is no message. Readers skip kinds that they do not know.",
    messages: eventMessages(),
  },
  {
    id: "answer",
    address: topics.answer(app, user, device),
    summary: "The answer to a command, or why a message was refused; for all devices where none was named.",
    messages: { answer: answerSchema },
  },
  {
    id: "ephemeral",
    address: topics.ephemeral(app, user),
    summary: "Typing, presence and receipts of others: never stored, never repeated.",
    messages: { ephemeral: ephemeralSchema },
  },
];

/** Every topic of the wire. */
export const channels: readonly Channel[] = [
  ...incoming.map((channel) => ({ ...channel, action: "receive" }) as const),
  ...outgoing.map((channel) => ({ ...channel, action: "send" }) as const),
];

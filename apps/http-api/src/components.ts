import {
  conversationSchema,
  conversationStateSchema,
  conversWithSchema,
  eventSchema,
  groupIdSchema,
  groupSchema,
  groupSummarySchema,
  historyResponseSchema,
  idPattern,
  idSchema,
  limits,
  messageSchema,
  outgoingMessageSchema,
  outsideUserIdSchema,
  overlaySchema,
  syncItemSchema,
  syncRequestSchema,
  syncResponseSchema,
  tokenRequestSchema,
  tokenResponseSchema,
  userIdSchema,
  userProfileSchema,
  userSchema,
} from "@chat21/protocol";
import type * as z from "zod";

/** A schema of the protocol as the OpenAPI document names and explains it. */
export interface Component {
  readonly schema: z.core.$ZodType;
  readonly description: string;
  /** What its fields mean: units of times, what is counted, and what may be absent. `a.b` is the field `b` of `a`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** JSON Schema of checks that the schema makes in code. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/** Description of a field that holds a time. */
export const milliseconds = "Milliseconds since 1970, by the server's clock.";
const conversWith = "The other user of a direct conversation, or the group.";
const number = "Number in the conversation, from 1.";
const epoch = "The store's history: numbers of different epochs have nothing to do with each other.";
const delivered = "Everything up to this number has arrived.";
const read = "Everything up to this number has been read.";

const userId =
  `Id of a user: any text that is at most ${limits.userIdBytes} bytes long with its escapes (ADR-0016), and not ` +
  "the escaped form of another id.";

const idOf = (maxLength: number) => ({ minLength: 1, maxLength, pattern: idPattern.source });

const message = {
  text: "What was written.",
  type: "`text`, or what a client knows besides.",
  channel_type: "`group` or `direct`.",
  attributes: "Mostly an object. Passed on as it came, but for the keys that the server reads.",
  metadata: "Passed on as it came.",
};

/** The protocol's schemas by their names in the OpenAPI document. Schemas of one route carry their names themselves. */
export const components: Readonly<Record<string, Component>> = {
  Id: { schema: idSchema, description: "Id of a device, message or app.", json: idOf(limits.idBytes) },
  UserId: {
    schema: userIdSchema,
    description: `${userId} As it is outside, or as it is on the wire.`,
    json: { minLength: 1, maxLength: limits.userIdBytes },
  },
  OutsideUserId: {
    schema: outsideUserIdSchema,
    description: userId,
    json: { minLength: 1, maxLength: limits.userIdBytes },
  },
  GroupId: {
    schema: groupIdSchema,
    description: "Id of a group.",
    json: idOf(limits.groupIdBytes),
  },
  ConversWith: {
    schema: conversWithSchema,
    description: "Id of a user, in either form, or of a group.",
    json: { minLength: 1, maxLength: limits.userIdBytes },
  },
  OutgoingMessage: {
    schema: outgoingMessageSchema,
    description: `A message to send, ${limits.payloadBytes} bytes at most. Unknown fields are stored and delivered.`,
    properties: {
      ...message,
      timestamp:
        `${milliseconds} Kept when it lies at most ${limits.timestampPastMs} ms back and ${limits.timestampFutureMs} ms ` +
        "ahead, else replaced.",
      group: "Delivers to `members` without making a group.",
      client_message_id: "The sender's own id of the message: the same one is stored once, for ever.",
      device: "The device that wants an error answered over MQTT.",
    },
  },
  Message: {
    schema: messageSchema,
    description: "A message for its receivers, with every field that its sender gave it.",
    properties: {
      ...message,
      timestamp: `${milliseconds} Rises inside a conversation.`,
      status: "100 sent, 150 delivered, 200 received, 250 returned as a receipt.",
      seq: number,
      epoch,
    },
  },
  Overlay: {
    schema: overlaySchema,
    description: "Later changes of a message.",
    properties: {
      version: "Number of the last event that changed the message.",
      deleted: "The message was erased by the user `by`.",
      "deleted.at": milliseconds,
    },
  },
  Conversation: {
    schema: conversationSchema,
    description: "A conversation in the shape of existing clients: its last message, and facts about it.",
    properties: { conversWith, timestamp: `Of the last message. ${milliseconds}` },
  },
  ConversationState: {
    schema: conversationStateSchema,
    description: "A conversation as its user sees it.",
    properties: {
      conversWith,
      head: "The highest number that the user may see.",
      unread: `Listed messages of others that the user has not read, counted up to ${limits.unreadMax}.`,
      delivered,
      read,
      counterpart: "How far the other user of a direct conversation is.",
      "counterpart.delivered": delivered,
      "counterpart.read": read,
      conversation: "The last message; absent when the conversation is on no list.",
    },
  },
  Event: {
    schema: eventSchema,
    description: "One entry of a conversation's log. Readers skip types that they do not know.",
    properties: { conversWith, seq: number, epoch, timestamp: milliseconds },
  },
  History: {
    schema: historyResponseSchema,
    description: "Events of a conversation, oldest first.",
    properties: {
      epoch,
      head: "The highest number of the conversation.",
      covered:
        "Ranges of numbers, both ends included. A number in them without an event is not for this user.",
    },
  },
  SyncRequest: {
    schema: syncRequestSchema,
    description: "Asks for the changes since an earlier answer.",
    properties: {
      cursor: "`cursor` of the answer before; absent: from the beginning.",
      limit: `Events of each conversation, at most; 0 = none. Default ${limits.listDefault}.`,
    },
  },
  SyncItem: {
    schema: syncItemSchema,
    description: "One changed conversation.",
    properties: {
      covered: "Ranges of numbers, both ends included, of which the answer speaks.",
      behind: "Some events since the cursor lie below `covered`.",
    },
  },
  SyncResponse: {
    schema: syncResponseSchema,
    description: "What has changed, the newest change first.",
    properties: {
      epoch,
      now: milliseconds,
      cursor: "For the next request.",
      more: "Ask again with `cursor` for the rest.",
      reset: "The cursor was of another epoch: this answer begins anew.",
    },
  },
  Group: {
    schema: groupSchema,
    description: "A group in the shape of existing clients.",
    properties: {
      members: "Every member's id, each with the number 1.",
      createdOn: milliseconds,
      updatedOn: milliseconds,
    },
  },
  GroupSummary: {
    schema: groupSummarySchema,
    description: "A group in a list.",
    properties: {
      memberCount: "Members now; the group itself has their ids.",
      createdOn: milliseconds,
      updatedOn: milliseconds,
    },
  },
  UserProfile: {
    schema: userProfileSchema,
    description: `A profile. Names have at most ${limits.nameBytes} bytes each.`,
  },
  User: {
    schema: userSchema,
    description: "A user.",
    properties: {
      created_at: milliseconds,
      updated_at: milliseconds,
      last_seen: `${milliseconds} 0 = never, or not for the caller to know.`,
    },
  },
  TokenRequest: {
    schema: tokenRequestSchema,
    description: "The token that is wanted.",
    properties: {
      ttl:
        `Seconds of life. Default and longest of the strict profile ${limits.strictTokenTtlMs / 1_000}; compat: ` +
        `default 86400, longest ${limits.compatTokenTtlMs / 1_000}.`,
      profile:
        "`strict` (default): for one client id. `compat`: what existing clients use; from admins only.",
      client_id: "MQTT client id that a strict token is for. Default a random one.",
    },
    json: {
      anyOf: [
        { properties: { profile: { const: "compat" } }, required: ["profile"] },
        { properties: { ttl: { maximum: limits.strictTokenTtlMs / 1_000 } } },
      ],
    },
  },
  Token: {
    schema: tokenResponseSchema,
    description: "A token and its facts.",
    properties: { expires_at: milliseconds, token_id: "With it the token can be revoked." },
  },
};

import { defineSchema } from "./define-schema.ts";
import { isClientId, isId } from "./ids.ts";
import { clientLimits } from "./limits.ts";
import { isConversWith, isUserId } from "./user-id.ts";

/**
 * Topics that clients publish on, and the filter of their inbox. They are on their own, so that an app does not load all
 * others.
 */
export const clientTopics = {
  /** P1, a message to send. */
  outgoing: (app: string, user: string, recipient: string) =>
    `apps/${app}/outgoing/users/${user}/messages/${recipient}/outgoing`,
  /** A command of one device. */
  command: (app: string, user: string, device: string) =>
    `apps/${app}/outgoing/users/${user}/commands/${device}`,
  /** P2, a receipt for a message of `conversWith`. */
  receipt: (app: string, user: string, conversWith: string, messageId: string) =>
    `apps/${app}/users/${user}/messages/${conversWith}/${messageId}/update`,
  /** P3, read or unread. */
  conversationUpdate: (app: string, user: string, conversWith: string) =>
    `apps/${app}/users/${user}/conversations/${conversWith}/update`,
  /** P4, archive. */
  conversationArchive: (app: string, user: string, conversWith: string) =>
    `apps/${app}/users/${user}/conversations/${conversWith}/archive`,
  /** P5 and P6, presence of one client. */
  presence: (app: string, user: string, clientId: string) => `apps/${app}/users/${user}/presence/${clientId}`,
  /** The one filter that covers everything a user receives. */
  inbox: (app: string, user: string) => `apps/${app}/users/${user}/#`,
} as const;

/**
 * MQTT topics. This is the only place where `/` (MQTT) and `.` (AMQP) are joined or split. Builders do not check their
 * arguments: ids are checked where they enter.
 */
export const topics = /* @__PURE__ */ defineSchema(
  () =>
    ({
      ...clientTopics,
      /** S1, a message in `user`'s inbox. */
      messageAdded: (app: string, user: string, conversWith: string) =>
        `apps/${app}/users/${user}/messages/${conversWith}/clientadded`,
      /** S2, a receipt for one of `user`'s messages. */
      messageUpdated: (app: string, user: string, conversWith: string, messageId: string) =>
        `apps/${app}/users/${user}/messages/${conversWith}/${messageId}/clientupdated`,
      /** S3, a patch of one of `user`'s conversations. */
      conversationUpdated: (app: string, user: string, conversWith: string) =>
        `apps/${app}/users/${user}/conversations/${conversWith}/clientupdated`,
      /** S4, a conversation that left `user`'s active list. */
      conversationDeleted: (app: string, user: string, conversWith: string) =>
        `apps/${app}/users/${user}/conversations/${conversWith}/clientdeleted`,
      /** S5, a conversation that entered `user`'s archive. */
      archivedConversationAdded: (app: string, user: string, conversWith: string) =>
        `apps/${app}/users/${user}/archived_conversations/${conversWith}/clientadded`,
      /** A conversation that left `user`'s archive: for a newer message, or because the user took it out. */
      archivedConversationDeleted: (app: string, user: string, conversWith: string) =>
        `apps/${app}/users/${user}/archived_conversations/${conversWith}/clientdeleted`,
      /** S6, a group's new data. */
      groupUpdated: (app: string, user: string, group: string) =>
        `apps/${app}/users/${user}/groups/${group}/clientupdated`,
      /** Any other event of a conversation's log. */
      event: (app: string, user: string, conversWith: string) =>
        `apps/${app}/users/${user}/conversations/${conversWith}/event`,
      /** Answers and errors for one device, or for all of a user's (`device` = `all`). */
      answer: (app: string, user: string, device: string) =>
        `apps/${app}/users/${user}/devices/${device}/answer`,
      /** Typing, presence, receipts: never stored. */
      ephemeral: (app: string, user: string) => `apps/${app}/users/${user}/ephemeral`,
      /** P1 of clients before 0.1.8. */
      formerOutgoing: (app: string, user: string, recipient: string) =>
        `apps/${app}/users/${user}/messages/${recipient}/outgoing`,
    }) as const,
);

/** Topics that a client may publish on, by kind: P1-P5/P6 and commands. */
export type ClientTopic =
  | { readonly kind: "send"; readonly app: string; readonly user: string; readonly recipient: string }
  | { readonly kind: "command"; readonly app: string; readonly user: string; readonly device: string }
  | {
      readonly kind: "receipt";
      readonly app: string;
      readonly user: string;
      readonly conversWith: string;
      readonly messageId: string;
    }
  | {
      readonly kind: "conversation-update" | "conversation-archive";
      readonly app: string;
      readonly user: string;
      readonly conversWith: string;
    }
  | { readonly kind: "presence"; readonly app: string; readonly user: string; readonly clientId: string };

/**
 * Parses a topic that a client publishes on. `null` for every other shape and for every id outside the alphabet: the
 * list of shapes is an allow-list, a suffix alone is never enough.
 */
export function parseClientTopic(topic: string): ClientTopic | null {
  const parts = topic.split("/");
  const app = parts[1];
  if (parts[0] !== "apps" || !isId(app)) return null;
  if (parts[2] === "outgoing") return parseOutgoing(parts, app);
  const user = parts[3];
  if (parts[2] !== "users" || !isUserId(user)) return null;
  const target = parts[5];
  switch (parts[4]) {
    case "messages":
      if (parts.length === 7 && parts[6] === "outgoing" && isConversWith(target)) {
        return { kind: "send", app, user, recipient: target };
      }
      return parts.length === 8 && parts[7] === "update" && isConversWith(target) && isId(parts[6])
        ? { kind: "receipt", app, user, conversWith: target, messageId: parts[6] }
        : null;
    case "conversations": {
      if (parts.length !== 7 || !isConversWith(target)) return null;
      if (parts[6] === "update") return { kind: "conversation-update", app, user, conversWith: target };
      if (parts[6] === "archive") return { kind: "conversation-archive", app, user, conversWith: target };
      return null;
    }
    case "presence":
      return parts.length === 6 && isClientId(target)
        ? { kind: "presence", app, user, clientId: target }
        : null;
    default:
      return null;
  }
}

function parseOutgoing(parts: readonly string[], app: string): ClientTopic | null {
  const user = parts[4];
  const target = parts[6];
  if (parts[3] !== "users" || !isUserId(user)) return null;
  if (parts[5] === "messages") {
    return parts.length === 8 && parts[7] === "outgoing" && isConversWith(target)
      ? { kind: "send", app, user, recipient: target }
      : null;
  }
  if (parts[5] === "commands" && parts.length === 7 && isId(target)) {
    return { kind: "command", app, user, device: target };
  }
  return null;
}

/** Topics that the server publishes to a user, by kind, with the counterpart where the topic names one. */
export type ServerTopic =
  | {
      readonly kind:
        | "message-added"
        | "conversation-updated"
        | "conversation-deleted"
        | "archived-conversation-added"
        | "archived-conversation-deleted"
        | "group-updated"
        | "event";
      readonly conversWith: string;
    }
  | { readonly kind: "message-updated"; readonly conversWith: string; readonly messageId: string }
  | { readonly kind: "answer"; readonly device: string }
  | { readonly kind: "ephemeral" };

const serverKinds = {
  "messages/clientadded": "message-added",
  "conversations/clientupdated": "conversation-updated",
  "conversations/clientdeleted": "conversation-deleted",
  "conversations/event": "event",
  "archived_conversations/clientadded": "archived-conversation-added",
  "archived_conversations/clientdeleted": "archived-conversation-deleted",
  "groups/clientupdated": "group-updated",
} as const;

/** Parses a topic that a client receives on; `null` for shapes it does not know (ignore these). */
export function parseServerTopic(topic: string): ServerTopic | null {
  const parts = topic.split("/");
  if (parts[0] !== "apps" || parts[2] !== "users") return null;
  const target = parts[5] ?? "";
  if (parts.length === 5 && parts[4] === "ephemeral") return { kind: "ephemeral" };
  if (parts.length === 7 && parts[4] === "devices" && parts[6] === "answer")
    return { kind: "answer", device: target };
  if (parts.length === 8 && parts[4] === "messages" && parts[7] === "clientupdated") {
    return { kind: "message-updated", conversWith: target, messageId: parts[6] ?? "" };
  }
  if (parts.length !== 7) return null;
  const kind = serverKinds[`${parts[4]}/${parts[6]}` as keyof typeof serverKinds];
  return kind === undefined ? null : { kind, conversWith: target };
}

/** Whether `topic` lies in one of the two trees that `user` may publish in, whatever follows there. */
export function isOwnTopic(app: string, user: string, topic: string): boolean {
  return (
    topic.startsWith(`apps/${app}/outgoing/users/${user}/`) || topic.startsWith(`apps/${app}/users/${user}/`)
  );
}

/**
 * Whether `filter` is a well-formed MQTT filter inside `user`'s own tree (`apps/{app}/users/{user}/…`, wildcards only
 * below it).
 */
export function isOwnFilter(app: string, user: string, filter: string): boolean {
  const root = `apps/${app}/users/${user}/`;
  if (!filter.startsWith(root) || filter.length > 1_024) return false;
  const below = filter.slice(root.length).split("/");
  return below.every((level, index) =>
    level === "#" ? index === below.length - 1 : level === "+" || !/[+#\0]/.test(level),
  );
}

/**
 * Whether a well-formed filter matches an MQTT topic without wildcards ([MQTT-4.7.1-2], [MQTT-4.7.1-3]; a wildcard in
 * the first place matches no topic that begins with `$`, [MQTT-4.7.2-1]).
 */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && (filter.startsWith("#") || filter.startsWith("+"))) return false;
  const wanted = filter.split("/");
  const given = topic.split("/");
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === "#") return true;
    if (i >= given.length || (wanted[i] !== "+" && wanted[i] !== given[i])) return false;
  }
  return wanted.length === given.length;
}

/** The AMQP routing key of an MQTT topic, as RabbitMQ's MQTT plugin maps it. */
export function toRoutingKey(topic: string): string {
  return topic.replaceAll("/", ".");
}

/** The MQTT topic of an AMQP routing key; the inverse of {@link toRoutingKey} for ids of our alphabet. */
export function fromRoutingKey(key: string): string {
  return key.replaceAll(".", "/");
}

/**
 * Whether every possible routing key of a conversation between `user` and `conversWith` stays within {@link
 * clientLimits.routingKeyBytes}. Checked before anything is accepted, because a broker would refuse the key later.
 */
export function fitsRoutingKeys(app: string, user: string, conversWith: string): boolean {
  const uuidBytes = 36;
  const longest = Math.max(
    topics.archivedConversationAdded(app, user, conversWith).length,
    topics.messageUpdated(app, user, conversWith, "").length + uuidBytes,
  );
  return longest <= clientLimits.routingKeyBytes;
}

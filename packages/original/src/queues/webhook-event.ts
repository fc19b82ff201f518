import type { BackendEventDraft } from "@chat21/events";
import { conversationBody, messageBody, presenceBody } from "@chat21/events";
import { conversationIdOf, looksLikeGroupId, messageStatus } from "@chat21/protocol";
import type { OriginalQueueMessage } from "./broker-queues.ts";

/** Far more than an original's clients could send in one message; a row of any store can hold it. */
const largestPayloadBytes = 1_024 * 1_024;

/** The queue's own keys, which were not sent to endpoints. */
const internalKeys = new Set(["temp_field_chat_topic", "temp_webhook_endpoints"]);

interface Read {
  readonly app: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** JSON text without the queue's own keys. */
  readonly data: string;
  /** The whole message of the queue, which has no id of its own: the same content is the same event. */
  readonly identity: readonly string[];
}

/**
 * The event that an original was about to send, or `null` for a message that no original writes into its queue
 * `webhooks`. The key is `observer.webhook.apps.{app}.` and `message_deliver`, `message_update`,
 * `conversation_archived` or `presence`. The payload is JSON: the event's `data`, and beside it `temp_…` keys of the
 * original's own.
 */
export function originalWebhookEvent({
  routingKey,
  payload,
}: OriginalQueueMessage): BackendEventDraft | null {
  const [, app, kind] = /^observer\.webhook\.apps\.([^.]+)\.([^.]+)$/.exec(routingKey) ?? [];
  const json = parse(payload);
  if (app === undefined || json === null) return null;
  const read: Read = { app, fields: json.fields, data: json.data, identity: [routingKey, json.text] };
  switch (kind) {
    case "message_deliver":
      return messageEvent(read);
    case "message_update":
      return returnReceipt(read);
    case "conversation_archived":
      return archivedEvent(read);
    case "presence":
      return presenceEvent(read);
    default:
      return null;
  }
}

function parse(payload: Uint8Array): (Pick<Read, "fields" | "data"> & { readonly text: string }) | null {
  if (payload.byteLength > largestPayloadBytes) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    const own = Object.entries(value).filter(([key]) => !internalKeys.has(key));
    // Throws for a value that is nested too deep to be written again.
    return { text, fields: { ...value }, data: JSON.stringify(Object.fromEntries(own)) };
  } catch {
    return null;
  }
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** `apps.{app}.users.{user}.{kind}.{conversWith}.{end}`: only the topic names the user of the event. */
function placeOf({ app, fields }: Read, kind: string, end: string) {
  const topic = textOf(fields["temp_field_chat_topic"]);
  const [apps, ofApp, users, user, of, conversWith, last, ...rest] = topic?.split(".") ?? [];
  const isOne = apps === "apps" && ofApp === app && users === "users" && of === kind && last === end;
  if (!isOne || topic === null || !user || !conversWith || rest.length > 0) return null;
  const isGroup = fields["channel_type"] === "group" || looksLikeGroupId(conversWith);
  return { topic, user, conversWith, orderKey: `${app}/${conversationIdOf(user, conversWith, isGroup)}` };
}

function messageEvent(read: Read): BackendEventDraft | null {
  const { app, fields, data: message, identity } = read;
  const place = placeOf(read, "messages", "clientadded");
  const [messageId, recipient] = [textOf(fields["message_id"]), textOf(fields["recipient"])];
  if (place === null || messageId === null || recipient === null) return null;
  const event = fields["status"] === messageStatus.sent ? "message-sent" : "message-delivered";
  const { topic, user: deliveredTo, orderKey } = place;
  return {
    ...{ event, app, orderKey, identity },
    body: (createdAt) =>
      messageBody({ event, createdAt, app, recipient, messageId, message, topic, deliveredTo }),
  };
}

/** The queue names the owner of the copy and the message, but not the other side: neither does the event. */
function returnReceipt({ app, fields, data, identity }: Read): BackendEventDraft | null {
  const [messageId, owner] = [textOf(fields["message_id"]), textOf(fields["timelineOf"])];
  if (messageId === null || owner === null) return null;
  const event = fields["status"] === messageStatus.received ? "message-received" : "message-return-receipt";
  const facts = { app_id: app, message_id: messageId, data: JSON.parse(data), delivered_to: owner };
  return {
    ...{ event, app, orderKey: `${app}/receipt/${messageId}`, identity },
    body: (createdAt) => JSON.stringify({ event_type: event, createdAt, ...facts, extras: {} }),
  };
}

function archivedEvent(read: Read): BackendEventDraft | null {
  const { app, data: document, identity } = read;
  const place = placeOf(read, "conversations", "archive");
  if (place === null) return null;
  const event = "conversation-archived";
  const { topic, user, conversWith, orderKey } = place;
  return {
    ...{ event, app, orderKey, identity },
    body: (createdAt) => conversationBody({ event, createdAt, app, user, conversWith, document, topic }),
  };
}

function presenceEvent({ app, fields, identity }: Read): BackendEventDraft | null {
  const { presence, createdAt: since } = fields;
  const user = textOf(fields["user_id"]);
  if (user === null || (presence !== "online" && presence !== "offline")) return null;
  return {
    ...{ event: "presence-change", app, orderKey: `${app}/presence/${user}`, identity },
    // The only event whose time is that of the occurrence.
    body: (createdAt) =>
      presenceBody({
        presence,
        createdAt: Number.isSafeInteger(since) ? Number(since) : createdAt,
        app,
        user,
      }),
  };
}

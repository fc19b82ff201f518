import type { Answer, ConversationEvent, Ephemeral, Group, Message } from "@chat21/protocol";
import {
  answerSchema,
  conversationPatchSchema,
  ephemeralSchemas,
  eventSchema,
  groupSchema,
  messageSchema,
  outsideIds,
  outsideJson,
  parseServerTopic,
  receiptUpdateSchema,
} from "@chat21/protocol";
import type { Log } from "../api/options.ts";
import type { Dispatch } from "../conversation/update.ts";
import type { Schema } from "./rest.ts";

/** Receivers of the inbox's messages. */
export interface DownlinkOptions {
  readonly dispatch: Dispatch;
  readonly log: Log;
  /** Epoch of the known store. A server that names no epoch means this one. */
  epoch(): string | undefined;
  /** Takes an entry of a log, which has its place in an order. */
  handleEvent(event: ConversationEvent): void;
  handleGroup(group: Group): void;
  handleAnswer(answer: Answer): void;
  handleEphemeral(ephemeral: Exclude<Ephemeral, { readonly type: "receipt" }>): void;
}

const utf8 = new TextDecoder();

/** Sorts and checks the messages of the user's inbox. Unknown or unreadable ones are left out, and logged. */
export function createDownlink(options: DownlinkOptions): (topic: string, payload: Uint8Array) => void {
  const { dispatch, log } = options;
  return (topic, payload) => {
    const parsed = outsideIds(parseServerTopic(topic)) as ReturnType<typeof parseServerTopic>;
    // This also leaves out the echo of this user's own publishes.
    if (parsed === null) return;
    const json = parseJson(payload);
    const read = <Value>(schema: Schema<Value>): Value | undefined => {
      const result = schema.safeParse(json);
      if (result.success) return result.data;
      log.warn({ kind: parsed.kind }, "a payload has another form");
      return undefined;
    };
    switch (parsed.kind) {
      case "message-added": {
        const event = messageEvent(parsed.conversWith, read(messageSchema), options.epoch() ?? "");
        if (event !== undefined) options.handleEvent(event);
        break;
      }
      case "event": {
        const event = read(eventSchema);
        if (event !== undefined) options.handleEvent({ ...event, conversWith: parsed.conversWith });
        break;
      }
      case "message-updated": {
        const { conversWith } = parsed;
        const update = read(receiptUpdateSchema);
        if (update !== undefined) dispatch({ type: "received", conversWith, messageId: update.message_id });
        break;
      }
      case "conversation-updated": {
        const { conversWith } = parsed;
        const patch = read(conversationPatchSchema);
        if (patch !== undefined) dispatch({ type: "flagged", conversWith, markedUnread: patch.is_new });
        break;
      }
      case "archived-conversation-added":
      case "archived-conversation-deleted": {
        const archived = parsed.kind === "archived-conversation-added";
        const archivedAt = read(messageSchema)?.seq;
        dispatch({ type: "flagged", conversWith: parsed.conversWith, archived, archivedAt });
        break;
      }
      case "group-updated": {
        const group = read(groupSchema);
        if (group !== undefined) options.handleGroup(group);
        break;
      }
      case "answer": {
        const answer = read(answerSchema);
        if (answer !== undefined) options.handleAnswer(answer);
        break;
      }
      case "ephemeral": {
        const ephemeral = read(anyEphemeral);
        if (ephemeral?.type === "receipt") {
          const { conversWith, user, delivered, read: seen } = ephemeral;
          dispatch({ type: "watermarks", conversWith, user, delivered, read: seen });
        } else if (ephemeral !== undefined) options.handleEphemeral(ephemeral);
        break;
      }
      case "conversation-deleted":
        // `archived-conversation-added` follows and says the same.
        break;
    }
  };
}

const anyEphemeral: Schema<Ephemeral> = {
  safeParse: (value) =>
    ephemeralSchemas.map((schema) => schema.safeParse(value)).find(({ success }) => success) ?? {
      success: false,
    },
};

/** The log entry of an S1; `undefined` without a number, which only other servers send. */
function messageEvent(
  conversWith: string,
  message: Message | undefined,
  known: string,
): ConversationEvent | undefined {
  if (message?.seq === undefined) return undefined;
  const { seq, epoch = known, timestamp, sender } = message;
  return { type: "message", conversWith, seq, epoch, timestamp, sender, message };
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(outsideJson(utf8.decode(payload)));
  } catch {
    return undefined;
  }
}

import type { Answer, ConversationEvent, Ephemeral, Group, Message } from "@chat21/protocol";
import {
  answerSchema,
  conversationPatchSchema,
  ephemeralSchema,
  eventSchema,
  groupSchema,
  messageSchema,
  parseServerTopic,
  receiptUpdateSchema,
} from "@chat21/protocol";
import type { Log } from "./options.ts";
import type { Schema } from "./rest.ts";

/** An entry of a log, from a server that may not name its epoch. */
type ArrivedEvent = Omit<ConversationEvent, "epoch"> & { epoch?: string | undefined } & Pick<
    ConversationEvent,
    "conversWith" | "sender" | "seq" | "timestamp" | "type"
  >;

/** Who is told what arrived. */
export interface InboxHandlers {
  handleEvent(event: ArrivedEvent): void;
  handleReceipt(conversWith: string, messageId: string): void;
  handleConversationPatch(conversWith: string, isNew: boolean): void;
  handleArchived(conversWith: string, archived: boolean): void;
  handleGroup(group: Group): void;
  handleAnswer(answer: Answer): void;
  handleEphemeral(ephemeral: Ephemeral): void;
}

const utf8 = new TextDecoder();

/** Sorts and checks what arrives in the user's inbox. What it does not know or cannot read is left out, and logged. */
export function createInbox(handlers: InboxHandlers, log: Log): (topic: string, payload: Uint8Array) => void {
  return (topic, payload) => {
    const parsed = parseServerTopic(topic);
    // Also the echo of what this user's own devices publish.
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
        const event = messageEvent(parsed.conversWith, read(messageSchema));
        if (event !== undefined) handlers.handleEvent(event);
        break;
      }
      case "event": {
        const event = read(eventSchema);
        if (event !== undefined) handlers.handleEvent({ ...event, conversWith: parsed.conversWith });
        break;
      }
      case "message-updated": {
        const update = read(receiptUpdateSchema);
        if (update !== undefined) handlers.handleReceipt(parsed.conversWith, update.message_id);
        break;
      }
      case "conversation-updated": {
        const patch = read(conversationPatchSchema);
        if (patch !== undefined) handlers.handleConversationPatch(parsed.conversWith, patch.is_new);
        break;
      }
      case "archived-conversation-added":
      case "archived-conversation-deleted":
        handlers.handleArchived(parsed.conversWith, parsed.kind === "archived-conversation-added");
        break;
      case "group-updated": {
        const group = read(groupSchema);
        if (group !== undefined) handlers.handleGroup(group);
        break;
      }
      case "answer": {
        const answer = read(answerSchema);
        if (answer !== undefined) handlers.handleAnswer(answer);
        break;
      }
      case "ephemeral": {
        const ephemeral = read(ephemeralSchema);
        if (ephemeral !== undefined) handlers.handleEphemeral(ephemeral);
        break;
      }
      case "conversation-deleted":
        // `archived-conversation-added` follows and says the same.
        break;
    }
  };
}

/** An S1 as the entry of the log that it is; `undefined` without a number, which only other servers send. */
function messageEvent(conversWith: string, message: Message | undefined): ArrivedEvent | undefined {
  if (message?.seq === undefined) return undefined;
  const { seq, epoch, timestamp, sender } = message;
  return { type: "message", conversWith, seq, epoch, timestamp, sender, message };
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(payload));
  } catch {
    return undefined;
  }
}

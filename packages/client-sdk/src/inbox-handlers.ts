import type { Ephemeral } from "@chat21/protocol";
import type { ClientParts } from "./client-parts.ts";
import { errorOfAnswer } from "./commands.ts";
import type { InboxHandlers } from "./inbox.ts";

/** Leads what arrives in the inbox to the parts that it concerns. */
export function inboxHandlers(parts: ClientParts): InboxHandlers {
  const { commands, conversations, groups, outbox, synchronizer } = parts;
  return {
    handleEvent(event) {
      // A server that names no epoch means the one it has.
      synchronizer.handleLive(Object.assign(event, { epoch: event.epoch ?? synchronizer.epoch ?? "" }));
    },
    handleReceipt: (conversWith, messageId) => conversations.handleReceipt(conversWith, messageId),
    handleConversationPatch: (conversWith, isNew) => conversations.handleMarkedUnread(conversWith, isNew),
    handleArchived: (conversWith, archived) => conversations.handleArchived(conversWith, archived),
    handleGroup(group) {
      groups.handle(group);
    },
    handleEphemeral: (ephemeral) => handleEphemeral(parts, ephemeral),
    handleAnswer(answer) {
      commands.handleAnswer(answer);
      const error = errorOfAnswer(answer);
      if (answer.client_message_id && error !== null) outbox.refuse(answer.client_message_id, error);
    },
  };
}

function handleEphemeral({ conversations, presence, typing }: ClientParts, ephemeral: Ephemeral): void {
  switch (ephemeral.type) {
    case "typing":
      typing.handle(ephemeral.conversWith, ephemeral.user, ephemeral.typing);
      break;
    case "presence":
      presence.handle(ephemeral.user, ephemeral.presence, ephemeral.last_seen);
      break;
    case "receipt": {
      const { conversWith, user, delivered, read } = ephemeral;
      conversations.handleWatermarks(conversWith, user, { delivered, read });
      break;
    }
  }
}

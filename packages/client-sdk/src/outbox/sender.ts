import { byteLength, ChatError, clientLimits, isId, toWireConversWith } from "@chat21/protocol";
import type { MessageDraft, SendOptions, SentMessage } from "../api/message.ts";
import type { Typing } from "../conversation/typing.ts";
import { bodyOf } from "./draft-body.ts";
import { newId } from "./new-id.ts";
import type { OutboxQueue } from "./outbox.ts";

/** Settings of a {@link Sender}. */
export interface SenderOptions {
  readonly fullname: string;
  readonly outbox: OutboxQueue;
  readonly typing: Typing;
  titleOf(conversWith: string): string;
}

// Room for the id and the device, which are added when the message is sent.
const addedBytes = 200;

/** Checks drafts and puts them into the outbox. */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async send(
    to: string,
    draft: MessageDraft,
    { clientMessageId = newId() }: SendOptions = {},
  ): Promise<SentMessage> {
    const { fullname, outbox, typing, titleOf } = this.#options;
    if (toWireConversWith(to) === null) {
      throw new ChatError(
        "invalid_id",
        `expected a user's or a group's id, got ${JSON.stringify(to).slice(0, 80)}`,
      );
    }
    if (!isId(clientMessageId)) throw new ChatError("invalid_id", "clientMessageId is not an id");
    const body = bodyOf(to, draft, { senderFullname: fullname, recipientFullname: titleOf(to) });
    if (byteLength(JSON.stringify(body)) + addedBytes > clientLimits.payloadBytes) {
      throw new ChatError("payload_too_large", `a message may have ${clientLimits.payloadBytes} bytes`);
    }
    typing.forget(to);
    return outbox.add(to, body, clientMessageId);
  }
}

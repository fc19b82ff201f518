import { text as readText } from "node:stream/consumers";
import { OperatorError } from "@chat21/runtime";
import { openChat } from "../chat-access.ts";
import { printJson, printLine } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 send`. */
export interface SendOptions extends ServerOptions {
  readonly as: string;
  readonly fullname?: string;
}

/** Sends one message and waits until it is stored. */
export async function send(recipient: string, words: readonly string[], options: SendOptions): Promise<void> {
  const fromPipe = words.length === 1 && words[0] === "-";
  const text = fromPipe ? (await readText(process.stdin)).replace(/\r?\n$/, "") : words.join(" ");
  if (text === "") throw new OperatorError("there is no text to send");
  const { fullname } = options;
  const chat = await openChat(accessServer(options), options.as, {
    reportDelivery: false,
    ...(fullname === undefined ? {} : { fullname }),
  });
  try {
    const { seq, messageId, message } = await chat.send(recipient, { text });
    if (options.json === true) printJson(message.wire);
    else printLine(`sent to ${recipient} as message ${seq} (${messageId})`);
  } finally {
    await chat.close();
  }
}

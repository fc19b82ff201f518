import { once } from "node:events";
import type { ChatMessage } from "@chat21/client-sdk";
import picocolors from "picocolors";
import { openChat } from "../chat-access.ts";
import { oneLine, printAside, printJson, printLine } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 tail`. */
export interface TailOptions extends ServerOptions {
  readonly as: string;
  readonly with?: string;
}

/** Shows messages until it is interrupted or the server does not want this token any more. */
export async function tail(options: TailOptions): Promise<void> {
  // A tail only looks: it must not tell senders that somebody received their messages.
  const chat = await openChat(accessServer(options), options.as, { reportDelivery: false });
  chat.on("message", ({ conversWith, message }) => {
    if (options.with !== undefined && options.with !== conversWith) return;
    // It came and was deleted while the connection was lost.
    if (message.deleted) return;
    if (options.json === true) printJson(message.wire);
    else printLine(formatMessage(message));
  });
  chat.on("status", ({ status, reason }) => {
    if (status === "reconnecting") printAside(`connection lost (${reason?.code ?? "closed"}), coming back…`);
    if (status === "online") printAside("connected again");
  });
  if (process.stderr.isTTY) printAside(`messages of ${options.as}; Ctrl+C ends it`);
  const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const reason = await Promise.race([chat.closed, interrupted.then(() => null)]);
  await chat.close();
  if (reason !== null) throw reason;
}

function formatMessage({ timestamp, senderFullname, recipient, text, type }: ChatMessage): string {
  const time = new Date(timestamp).toLocaleTimeString(undefined, { timeStyle: "short" });
  const said = text === "" ? picocolors.dim(`[${type}]`) : oneLine(text);
  return `${picocolors.dim(time)}  ${picocolors.bold(oneLine(senderFullname))} → ${recipient}  ${said}`;
}

import type { ConversationEvent, HistoryResponse } from "@chat21/protocol";
import picocolors from "picocolors";
import { localTime, oneLine, printJson, printLine } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 history`. */
export interface HistoryOptions extends ServerOptions {
  readonly as: string;
  readonly limit: string;
  readonly before?: string;
}

/** Shows the newest messages and other events of a conversation as one of its users sees them, oldest first. */
export async function history(conversWith: string, options: HistoryOptions): Promise<void> {
  const { app, as, limit, before } = options;
  const query = new URLSearchParams({ user: as, limit, ...(before === undefined ? {} : { before }) });
  const path = `v1/${encodeURIComponent(app)}/conversations/${encodeURIComponent(conversWith)}/events?${query}`;
  const { events } = (await accessServer(options).call("GET", path)) as HistoryResponse;
  for (const event of events) {
    if (options.json === true) printJson(event);
    else printLine(formatEvent(event));
  }
}

function formatEvent({ seq, timestamp, sender, type, message, overlay, data }: ConversationEvent): string {
  const text = typeof message?.text === "string" && message.text !== "" ? oneLine(message.text) : undefined;
  const note =
    overlay?.deleted === undefined
      ? `[${type}${data === undefined ? "" : ` ${JSON.stringify(data)}`}]`
      : "[erased]";
  const said = text ?? picocolors.dim(oneLine(note));
  return `${picocolors.dim(`${seq}  ${localTime(timestamp)}`)}  ${picocolors.bold(oneLine(sender))}  ${said}`;
}

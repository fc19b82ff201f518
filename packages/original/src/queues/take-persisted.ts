import type { Clock, Store } from "@chat21/engine";
import type { OriginalDocument } from "../documents/copy.ts";
import type { OriginalQueueMessage } from "./broker-queues.ts";
import { type TakenMessage, takeOriginalMessage } from "./take-message.ts";

/** Only the key tells the owner of a copy. */
const keyPattern = /^apps\.observer\.([^.]+)\.users\.([^.]+)\.messages\.([^.]+)\.persist$/;

/** {@link takeOriginalMessage} for a message of an original's queue. Refuses messages that no original writes. */
export async function takePersistedMessage(
  store: Store,
  { routingKey, payload }: OriginalQueueMessage,
  clock: Pick<Clock, "now">,
): Promise<TakenMessage> {
  const [, app, timelineOf, conversWith] = keyPattern.exec(routingKey) ?? [];
  const message = parse(payload);
  if (app === undefined || message === null) {
    return { status: "refused", reason: "malformed", detail: app === undefined ? "routing key" : "payload" };
  }
  return takeOriginalMessage(store, { ...message, app_id: app, timelineOf, conversWith }, clock);
}

function parse(payload: Uint8Array): OriginalDocument | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as OriginalDocument) : null;
  } catch {
    return null;
  }
}

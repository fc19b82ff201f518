import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { type AdoptResult, adoptMessage } from "./adopt-message.ts";
import type { OriginalDocument } from "./original-copy.ts";

/** What lies in an original's queue `persist`. */
export interface PersistMessage {
  /** `apps.observer.{app}.users.{owner}.messages.{conversWith}.persist` */
  readonly routingKey: string;
  /** The message as JSON; whose copy it is stands in the key alone. */
  readonly payload: Uint8Array;
}

const keyPattern = /^apps\.observer\.([^.]+)\.users\.([^.]+)\.messages\.([^.]+)\.persist$/;

/** {@link adoptMessage} for what an original left in its queue. Refuses what no original has put there. */
export async function adoptPersistMessage(
  store: Store,
  { routingKey, payload }: PersistMessage,
  clock: Pick<Clock, "now">,
): Promise<AdoptResult> {
  const [, app, timelineOf, conversWith] = keyPattern.exec(routingKey) ?? [];
  const message = parse(payload);
  if (app === undefined || message === null) {
    return { status: "refused", reason: "malformed", detail: app === undefined ? "routing key" : "payload" };
  }
  return adoptMessage(store, { ...message, app_id: app, timelineOf, conversWith }, clock);
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

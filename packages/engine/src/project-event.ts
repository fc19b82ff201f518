import { conversWithOf } from "@chat21/protocol";
import type { JsonText } from "./engine.ts";
import type { EventRecord } from "./ports/records.ts";
import type { PairWatermarks } from "./project-message.ts";
import { isErased, storedMessageJson } from "./project-message.ts";

function head(event: EventRecord, epoch: string, conversWith: string): string {
  return (
    `{"type":"${event.type}","conversWith":"${conversWith}","seq":${event.seq},"epoch":"${epoch}",` +
    `"timestamp":${event.timestamp},"sender":"${event.sender}"`
  );
}

/** The JSON of an event that is not a message: live on `…/event`, and in answers. */
export function eventJson(event: EventRecord, epoch: string, conversWith: string, data: JsonText): JsonText {
  return `${head(event, epoch, conversWith)},"data":${data}}`;
}

/** The reader of an answer's events, and the kinds that are known. */
export interface EventReader {
  /** The kinds that are known here; see `Kinds`. */
  readonly kinds: { of(type: string): { data(event: EventRecord): JsonText | null } | undefined };
  readonly epoch: string;
  readonly user: string;
  readonly watermarks: PairWatermarks;
}

/**
 * Any event in the form of history and sync, a message as it is now. `null` for a kind of a later version: the covered
 * range says that the reader gets nothing at that number.
 */
export function storedEventJson(event: EventRecord, reader: EventReader): JsonText | null {
  const { kinds, epoch, user, watermarks } = reader;
  const kind = kinds.of(event.type);
  if (kind === undefined) return null;
  const conversWith = conversWithOf(event.conversation, user);
  const data = kind.data(event);
  if (data !== null) return eventJson(event, epoch, conversWith, data);
  const overlay = event.overlay === null ? "" : `,"overlay":${event.overlay}`;
  const message = isErased(event)
    ? ""
    : `,"message":${storedMessageJson(event, epoch, user, conversWith, watermarks)}`;
  return `${head(event, epoch, conversWith)}${message}${overlay}}`;
}

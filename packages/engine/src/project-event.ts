import { conversWithOf } from "@chat21/protocol";
import type { GroupEventBody } from "./decide/group-event.ts";
import type { JsonText } from "./engine.ts";
import type { EventRecord } from "./ports/records.ts";
import type { Watermarks } from "./project-message.ts";
import { storedMessageJson } from "./project-message.ts";

function head(event: EventRecord, epoch: string, conversWith: string): string {
  return (
    `{"type":"${event.type}","conversWith":"${conversWith}","seq":${event.seq},"epoch":"${epoch}",` +
    `"timestamp":${event.timestamp},"sender":"${event.sender}"`
  );
}

/** What the wire shows of a group event's body: the server's own notes stay behind. */
function eventData(event: EventRecord): string {
  if (event.type === "erased") return "{}";
  const body = JSON.parse(event.body) as GroupEventBody;
  const { announce: _, except: __, notification: ___, quiet: ____, ...data } = body;
  return JSON.stringify(data);
}

/** An event that is not a message, as it goes live on `…/event`. */
export function eventJson(event: EventRecord, epoch: string, conversWith: string): JsonText {
  return `${head(event, epoch, conversWith)},"data":${eventData(event)}}`;
}

/** Any event, as history and sync answer it to `user`. */
export function storedEventJson(
  event: EventRecord,
  epoch: string,
  user: string,
  watermarks: Watermarks,
): JsonText {
  const conversWith = conversWithOf(event.conversation, user);
  if (event.type !== "message") return eventJson(event, epoch, conversWith);
  const message = storedMessageJson(event, epoch, user, conversWith, watermarks);
  return `${head(event, epoch, conversWith)},"message":${message}}`;
}

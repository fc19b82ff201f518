import type { Amendment, Run } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { Collections } from "./collections.ts";
import type { ConversationKey, EventDocument } from "./documents.ts";

/** Numbers that one step searches for an event that is still listed. */
const unlistedStep = 2_000;

/** Numbers of earlier messages that the run amends. */
export function earlierTargets(run: Run): readonly number[] {
  return (run.amendments ?? []).map(({ seq }) => seq).filter((seq) => seq <= run.expectedHead);
}

/** Throws `internal` for a run that amends an event that is no message, or a number beyond its own last event. */
export function requireTargets(run: Run, typeOf: (seq: number) => string | undefined): void {
  const { conversation, expectedHead, events, amendments = [] } = run;
  for (const { seq } of amendments) {
    const type = seq > expectedHead ? events[seq - expectedHead - 1]?.type : typeOf(seq);
    if (type === "message") continue;
    throw new ChatError("internal", `an amendment names ${seq} of ${conversation}, which is no message`);
  }
}

/** The update that gives a message its overlay, and removes the content where the amendment erases. */
export function toAmendment(
  key: ConversationKey,
  { seq, overlay, erases }: Amendment,
): mongo.AnyBulkWriteOperation<EventDocument> {
  const { app, conversation } = key;
  const gone = { body: "{}", listed: false, erased: true, names: { $slice: ["$names", 1] } };
  const amended = { overlay: { $literal: overlay }, ...(erases ? gone : {}) };
  return {
    updateOne: {
      filter: { _id: { app, conversation, seq }, type: "message" },
      update: [{ $set: amended }],
    },
  };
}

/**
 * The number up to which no event is listed after the amendments, so that lists do not walk through erased events: a
 * conversation that is erased from its beginning to its end costs them one look. The answer may be too low, never too
 * high.
 */
export async function findUnlistedTo(
  { events }: Collections,
  key: ConversationKey & { readonly from: number },
  amendments: readonly Amendment[],
  options: { readonly session: mongo.ClientSession; readonly maxTimeMS: number },
): Promise<number> {
  const { app, conversation, from } = key;
  const erased = amendments.filter(({ erases }) => erases).map(({ seq }) => seq);
  const last = Math.min(Math.max(0, ...erased), from + unlistedStep);
  if (last <= from) return from;
  const bounds = {
    $gte: { app, conversation, seq: from + 1 },
    $lte: { app, conversation, seq: last },
  };
  const first = await events.findOne(
    { _id: bounds, listed: true },
    { ...options, projection: { _id: 1 }, sort: { _id: 1 } },
  );
  return first === null ? last : first._id.seq - 1;
}

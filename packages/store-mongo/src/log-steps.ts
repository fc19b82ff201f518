import type { mongo } from "mongoose";
import type { Collections } from "./collections.ts";
import type { EventDocument, EventKey } from "./documents.ts";

/** Events of one step. */
const eventsPerStep = 10_000;

/**
 * The log in stretches of neighbouring events, as filters, behind `after`: for maintenance that reads the whole log,
 * without a long query. Events that are written meanwhile may be left out.
 */
export async function* stepsOf(
  { events }: Collections,
  { after, last, maxTimeMS }: { after?: EventKey; last?: EventKey; maxTimeMS: number },
): AsyncGenerator<mongo.Filter<EventDocument>> {
  const upTo = last === undefined ? {} : { $lte: last };
  for (let from = after; ; ) {
    const behind = { ...(from === undefined ? {} : { $gt: from }), ...upTo };
    const where = Object.keys(behind).length === 0 ? {} : { _id: behind };
    const [edge] = await events
      .find(where, { projection: { _id: 1 }, maxTimeMS, hint: "_id_" })
      .sort({ _id: 1 })
      .skip(eventsPerStep - 1)
      .limit(1)
      .toArray();
    if (edge === undefined) {
      yield where;
      return;
    }
    yield { _id: { ...behind, $lte: edge._id } };
    from = edge._id;
  }
}

import type { mongo } from "mongoose";
import type { Collections } from "./collections.ts";
import type { DeliveryDocument, LaneDocument, LaneKey } from "./documents.ts";

const nameOf = ({ endpoint, orderKey }: LaneKey) => `${endpoint}\n${orderKey}`;

/** Each lane once. */
function distinctLanes(lanes: readonly LaneKey[]): LaneKey[] {
  return [...new Map(lanes.map((lane) => [nameOf(lane), lane])).values()];
}

/**
 * Takes the lanes for this transaction: two transactions that change the pending rows of one lane conflict here, and
 * one of them starts anew on the rows that the other left.
 */
async function touch(
  { lanes }: Collections,
  keys: readonly LaneKey[],
  session: mongo.ClientSession,
): Promise<void> {
  await lanes.bulkWrite(
    keys.map((key) => ({
      updateOne: {
        filter: { _id: key },
        update: { $inc: { changes: 1 }, $setOnInsert: { endpoint: key.endpoint } },
        upsert: true,
      },
    })),
    { session },
  );
}

interface LaneFront {
  readonly _id: LaneKey;
  readonly front: readonly Pick<DeliveryDocument, "leasedUntil" | "nextAttemptAt" | "position">[];
}

/** The pending row with the lowest position of each lane, one seek in the index `lane` each. */
async function findFronts(
  { deliveries, lanes }: Collections,
  keys: readonly LaneKey[],
  session: mongo.ClientSession,
): Promise<LaneFront[]> {
  return lanes
    .aggregate<LaneFront>(
      [
        { $match: { _id: { $in: keys } } },
        {
          $lookup: {
            from: deliveries.collectionName,
            let: { lane: "$_id" },
            pipeline: [
              { $match: { state: "pending", $expr: { $eq: ["$lane", "$$lane"] } } },
              { $sort: { position: 1 } },
              { $limit: 1 },
              { $project: { _id: 0, position: 1, nextAttemptAt: 1, leasedUntil: 1 } },
            ],
            as: "front",
          },
        },
        { $project: { front: 1 } },
      ],
      { session },
    )
    .toArray();
}

function toWrite({ _id, front: [first] }: LaneFront): mongo.AnyBulkWriteOperation<LaneDocument> {
  if (first === undefined) return { deleteOne: { filter: { _id } } };
  const { position, nextAttemptAt, leasedUntil } = first;
  const update = { $set: { position, dueAt: Math.max(nextAttemptAt, leasedUntil) } };
  return { updateOne: { filter: { _id }, update } };
}

/** Brings the lanes up to date with the rows, after they were changed in the same transaction. */
export async function renewLanes(
  collections: Collections,
  changed: readonly LaneKey[],
  session: mongo.ClientSession,
): Promise<void> {
  const keys = distinctLanes(changed);
  if (keys.length === 0) return;
  await touch(collections, keys, session);
  const fronts = await findFronts(collections, keys, session);
  await collections.lanes.bulkWrite(fronts.map(toWrite), { session });
}

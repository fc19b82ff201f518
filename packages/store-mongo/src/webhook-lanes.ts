import { setTimeout as delay } from "node:timers/promises";
import { ChatError } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { Collections } from "./collections.ts";
import type { DeliveryDocument, LaneDocument, LaneKey } from "./documents.ts";
import { inParallel } from "./in-parallel.ts";
import { isDuplicate } from "./mongo-failure.ts";

/** How long {@link renewLanes} tries to be faster than others who write the same lanes, milliseconds. */
const renewForMs = 10_000;

/** Longest pause between two tries. Each pause is chosen at random below it, so that rivals do not meet again. */
const maxPauseMs = 20;

const nameOf = ({ endpoint, orderKey }: LaneKey) => `${endpoint}\n${orderKey}`;

/** Each lane once. */
function distinctLanes(lanes: readonly LaneKey[]): LaneKey[] {
  return [...new Map(lanes.map((lane) => [nameOf(lane), lane])).values()];
}

/**
 * Writes lanes, without order. When two processes make one lane at the same time, its id stops the second, which finds the
 * lane when it tries again.
 */
async function write(
  { lanes }: Collections,
  writes: mongo.AnyBulkWriteOperation<LaneDocument>[],
  session?: mongo.ClientSession,
): Promise<number> {
  const options = { ordered: false, ...(session === undefined ? {} : { session }) };
  for (;;) {
    try {
      const { matchedCount, deletedCount } = await lanes.bulkWrite(writes, options);
      return matchedCount + deletedCount;
    } catch (thrown) {
      if (session !== undefined || !isDuplicate(thrown)) throw thrown;
    }
  }
}

/** Makes lanes that are not there, and lets everybody who is about to renew one of them look again. */
async function touchLanes(
  collections: Collections,
  keys: readonly LaneKey[],
  session?: mongo.ClientSession,
): Promise<void> {
  const writes = keys.map((key) => ({
    updateOne: {
      filter: { _id: key },
      update: { $inc: { changes: 1 }, $setOnInsert: { endpoint: key.endpoint } },
      upsert: true,
    },
  }));
  await write(collections, writes, session);
}

/** Tells the lanes of rows that were just added: a row that comes before the front is the front now. */
export async function raiseLanes(
  collections: Collections,
  added: readonly DeliveryDocument[],
): Promise<void> {
  const firsts = new Map<string, DeliveryDocument>();
  for (const row of added) {
    const known = firsts.get(nameOf(row.lane));
    if (known === undefined || row.position < known.position) firsts.set(nameOf(row.lane), row);
  }
  const writes = [...firsts.values()].map(({ lane, position, nextAttemptAt }) => {
    // A lane without a front has no position; every number is below `Infinity`.
    const isFront = { $lt: [position, { $ifNull: ["$position", Number.POSITIVE_INFINITY] }] };
    const update = [
      {
        $set: {
          endpoint: { $literal: lane.endpoint },
          changes: { $add: [{ $ifNull: ["$changes", 0] }, 1] },
          position: { $cond: [isFront, position, "$position"] },
          dueAt: { $cond: [isFront, nextAttemptAt, "$dueAt"] },
        },
      },
    ];
    return { updateOne: { filter: { _id: lane }, update, upsert: true } };
  });
  await write(collections, writes);
}

type Front = Pick<DeliveryDocument, "lane" | "leasedUntil" | "nextAttemptAt" | "position">;

/** A lane as it is written, and its front by its rows. */
interface LaneFront {
  readonly lane: Pick<LaneDocument, "_id" | "changes" | "dueAt" | "position">;
  /** `undefined`: no row is pending. */
  readonly front: Front | undefined;
}

const frontFields = { _id: 0, lane: 1, position: 1, nextAttemptAt: 1, leasedUntil: 1 } as const;

/** One query finds the fronts of all lanes that have so many rows or fewer, on average. */
const rowsPerLane = 4;

/** The front of a lane of any length, by one seek in the index `lane`. */
function seekFront(
  { deliveries }: Collections,
  lane: LaneKey,
  options: mongo.FindOptions,
): Promise<Front | null> {
  return deliveries.findOne<Front>(
    { lane, state: "pending" },
    { projection: frontFields, sort: { position: 1 }, hint: "lane", ...options },
  );
}

/** The lanes that exist, with their fronts. A lane's count of changes is read before its rows. */
async function findFronts(
  collections: Collections,
  keys: readonly LaneKey[],
  session?: mongo.ClientSession,
): Promise<LaneFront[]> {
  const options = session === undefined ? { readConcern: { level: "local" } as const } : { session };
  const { deliveries, lanes } = collections;
  const present = await lanes
    .find({ _id: { $in: [...keys] } }, { projection: { changes: 1, dueAt: 1, position: 1 }, ...options })
    .toArray();
  const limit = present.length * rowsPerLane;
  if (limit === 0) return [];
  const rows = await deliveries
    .find(
      { lane: { $in: present.map(({ _id }) => _id) }, state: "pending" },
      { ...{ projection: frontFields, sort: { lane: 1, position: 1 }, limit, hint: "lane" }, ...options },
    )
    .toArray();
  const fronts = new Map<string, Front>();
  const note = (row: Front) => {
    const name = nameOf(row.lane);
    if (!fronts.has(name)) fronts.set(name, row);
  };
  rows.forEach(note);
  const unseen = rows.length < limit ? [] : present.filter(({ _id }) => !fronts.has(nameOf(_id)));
  const seek = async ({ _id }: LaneDocument) => {
    const front = await seekFront(collections, _id, options);
    if (front !== null) note(front);
  };
  // One session answers one question at a time.
  if (session === undefined) await inParallel(unseen, seek);
  else for (const lane of unseen) await seek(lane);
  return present.map((lane) => ({ lane, front: fronts.get(nameOf(lane._id)) }));
}

/** What is to be written; nothing where the lane is right. */
function toWrites({ lane, front }: LaneFront): mongo.AnyBulkWriteOperation<LaneDocument>[] {
  const filter = { _id: lane._id, changes: lane.changes };
  if (front === undefined) return [{ deleteOne: { filter } }];
  const { position, nextAttemptAt, leasedUntil } = front;
  const dueAt = Math.max(nextAttemptAt, leasedUntil);
  if (lane.position === position && lane.dueAt === dueAt) return [];
  return [{ updateOne: { filter, update: { $set: { position, dueAt }, $inc: { changes: 1 } } } }];
}

/**
 * Brings lanes up to date with their rows. A row is always written before its lane. So the rows that were read here are
 * true as long as the lane's count of changes is the same; otherwise they are read again. Throws `store_unavailable` when
 * others are faster for 10 s.
 */
export async function renewLanes(
  collections: Collections,
  changed: readonly LaneKey[],
  session?: mongo.ClientSession,
): Promise<void> {
  const keys = distinctLanes(changed);
  const startedAt = performance.now();
  while (keys.length > 0) {
    const writes = (await findFronts(collections, keys, session)).flatMap(toWrites);
    if (writes.length === 0 || (await write(collections, writes, session)) === writes.length) return;
    if (performance.now() - startedAt > renewForMs)
      throw new ChatError("store_unavailable", "the webhooks of a conversation change too fast");
    await delay(Math.random() * maxPauseMs);
  }
}

/** {@link renewLanes}, for lanes that may be missing: rows of theirs were added, or became pending again. */
export async function remakeLanes(
  collections: Collections,
  changed: readonly LaneKey[],
  session?: mongo.ClientSession,
): Promise<void> {
  if (changed.length === 0) return;
  const keys = distinctLanes(changed);
  await touchLanes(collections, keys, session);
  await renewLanes(collections, keys, session);
}

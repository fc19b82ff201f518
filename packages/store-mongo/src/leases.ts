import { randomUUID } from "node:crypto";
import type { LeaseStore } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { Database } from "./database.ts";
import type { LeaseDocument } from "./documents.ts";
import { isDuplicate } from "./mongo-failure.ts";

/** Leases that one list shows. */
const maxListed = 1_000;

/** Calls of one holder that may overlap and still find the lease that they were given. */
const maxGrants = 8;

/** Leases of older versions do not tell for how long they were given. */
const longestKeepMs = 600_000;

/** The latest end that a lease can have by its own time. */
const latest = { $add: ["$$NOW", { $ifNull: ["$keepMs", longestKeepMs] }] };

/** How often an acquisition is made again because somebody else made the same row in the same moment. */
const maxAttempts = 5;

/** Put after a prefix, it makes a name that sorts after all names with this prefix. */
const last = "\u{10FFFF}";

/** The holder that asks, its grant, and how long the row is to keep it. */
interface Claim {
  readonly holder: string;
  readonly grant: string;
  readonly keepMs: number;
}

/**
 * Gives the lease where it is free, has run out or is the holder's own; else it leaves the row as it is. The server
 * decides on the present row by its own clock, which stands still during the command: a command that was held up gives
 * less time, not more. It never shortens a lease, because it may arrive after a younger command.
 */
function toClaim(name: string, { holder, grant, keepMs }: Claim): mongo.AnyBulkWriteOperation<LeaseDocument> {
  const isOver = { $lte: [{ $ifNull: ["$expiresAt", new Date(0)] }, "$$NOW"] };
  const isOwn = { $eq: ["$holder", { $literal: holder }] };
  const before = { $cond: [isOwn, "$grants", []] };
  const longestMs = { $max: [{ $cond: [isOwn, "$keepMs", 0] }, keepMs] };
  // No own lease ends later than the times that it was given for, unless the server's clock was set back.
  const bounded = { $min: ["$expiresAt", { $add: ["$$NOW", longestMs] }] };
  const given = {
    _id: "$_id",
    holder: { $literal: holder },
    grants: { $slice: [{ $concatArrays: [[grant], before] }, maxGrants] },
    keepMs: longestMs,
    expiresAt: { $max: [bounded, { $add: ["$$NOW", keepMs] }] },
  };
  const update = [{ $replaceWith: { $cond: [{ $or: [isOver, isOwn] }, given, "$$ROOT"] } }];
  return { updateOne: { filter: { _id: name }, update, upsert: true } };
}

/**
 * Leases, with two round trips for any number of them. Every answer rests on writes that a majority has on disk,
 * because a lease that an election rolls back would be given again. After an election the clock is another server's:
 * others get a lease `clockToleranceMs` later than its holder has stopped to count on it.
 */
export function createLeases(database: Database, clockToleranceMs: number): LeaseStore {
  const { leases } = database.collections;
  const maxTimeMS = database.queryTimeoutMs;

  async function write(names: readonly string[], claim: Claim): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const claims = names.map((name) => toClaim(name, claim));
        const { modifiedCount, upsertedCount } = await leases.bulkWrite(claims, { ordered: false });
        return modifiedCount + upsertedCount;
      } catch (thrown) {
        if (!isDuplicate(thrown) || attempt === maxAttempts) throw thrown;
      }
    }
  }

  /**
   * A lease that ends later than it can by its own time was given before the server's clock was set back: it gets its
   * whole time from now, because its holder may still count on it.
   */
  async function bound(names: readonly string[]): Promise<void> {
    await leases.updateMany({ _id: { $in: [...names] }, $expr: { $gt: ["$expiresAt", latest] } }, [
      { $set: { expiresAt: latest } },
    ]);
  }

  async function acquire(holder: string, names: readonly string[], ttlMs: number): Promise<boolean[]> {
    const distinct = [...new Set(names)];
    if (distinct.length === 0) return [];
    const grant = randomUUID();
    const given = await write(distinct, { holder, grant, keepMs: ttlMs + clockToleranceMs });
    if (given === distinct.length) return names.map(() => true);
    // By the grant, not by the holder: a row that a deposed primary still shows must not count.
    const projection = { isHeld: { $in: [grant, "$grants"] }, isAhead: { $gt: ["$expiresAt", latest] } };
    const found = (await leases
      .find({ _id: { $in: distinct } }, { projection, maxTimeMS })
      .toArray()) as unknown as readonly {
      readonly _id: string;
      readonly isHeld: boolean;
      readonly isAhead: boolean;
    }[];
    const ahead = found.filter(({ isAhead }) => isAhead).map(({ _id }) => _id);
    if (ahead.length > 0) await bound(ahead);
    const held = new Set(found.filter(({ isHeld }) => isHeld).map(({ _id }) => _id));
    return names.map((name) => held.has(name));
  }

  async function release(holder: string, names: readonly string[]): Promise<void> {
    const own = await leases
      .find({ _id: { $in: [...names] }, holder }, { projection: { grants: 1 }, maxTimeMS })
      .toArray();
    if (own.length === 0) return;
    // By the newest grants: when this call is late, leases that the holder was given meanwhile stay.
    const newest = own.flatMap(({ grants }) => grants.slice(0, 1));
    await leases.deleteMany({ _id: { $in: own.map(({ _id }) => _id) }, "grants.0": { $in: newest } });
  }

  async function list(prefix: string) {
    const found = await leases
      .find(
        { _id: { $gte: prefix, $lt: `${prefix}${last}` }, $expr: { $gt: ["$expiresAt", "$$NOW"] } },
        { maxTimeMS, projection: { holder: 1, remainingMs: { $subtract: ["$expiresAt", "$$NOW"] } } },
      )
      .sort({ _id: 1 })
      .limit(maxListed)
      .toArray();
    return found.map((lease) => {
      const { _id: name, holder, remainingMs } = lease as typeof lease & { readonly remainingMs: number };
      return { name, holder, remainingMs };
    });
  }

  return {
    acquire: (holder, names, ttlMs) => database.call(() => acquire(holder, names, ttlMs)),
    release: (holder, names) => database.call(() => release(holder, names)),
    list: (prefix) => database.call(() => list(prefix)),
  };
}

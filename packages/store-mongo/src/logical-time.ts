import type { mongo } from "mongoose";
import mongoose from "mongoose";

const { Timestamp } = mongoose.mongo;

/**
 * The server's logical time as one number, which orders all writes. Its seconds follow the clock, and an election does not
 * set it back.
 */
export type Ticks = number;

export const ticksPerSecond = 2 ** 20;

/** Writes of one second beyond a million get the same number. */
export function toTicks({ t, i }: mongo.Timestamp): Ticks {
  return t * ticksPerSecond + Math.min(i, ticksPerSecond - 1);
}

/** The inverse of {@link toTicks}; negative numbers give time 0. */
export function toTimestamp(ticks: Ticks): mongo.Timestamp {
  const positive = Math.max(0, ticks);
  return new Timestamp({ t: Math.floor(positive / ticksPerSecond), i: positive % ticksPerSecond });
}

/** Lets the server write its logical time into `changedAt`. */
export const stampNow = { changedAt: { $type: "timestamp" } } as const;

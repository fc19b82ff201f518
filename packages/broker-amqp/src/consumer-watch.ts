import type { Log, Metrics } from "@chat21/engine";
import type { Channel, ChannelModel } from "amqplib";
import type { Timers } from "./timers.ts";
import { names } from "./topology.ts";

/** Options of {@link watchConsumers}. */
export interface ConsumerWatchOptions {
  readonly connection: ChannelModel;
  /** Partitions that are consumed here now. */
  readonly partitions: () => readonly number[];
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Longer than any hand-over, during which a partition has two consumers. @default 10000 */
  readonly lookEveryMs?: number;
}

/**
 * Looks for strangers among the consumers of our partitions. A stranger gets nothing as long as our consumer is the
 * active one. But the broker may choose it at the next hand-over, and then the partition stands still; the log warns of
 * that beforehand. Returns the function that ends the watch; it ends with the connection as well.
 */
export function watchConsumers(options: ConsumerWatchOptions): () => void {
  const { connection, timers, lookEveryMs = 10_000 } = options;
  let cancel = () => {};
  let isWanted = true;
  let crowded: ReadonlySet<number> = new Set();
  const again = () => {
    cancel = timers.after(lookEveryMs, async () => {
      try {
        crowded = await look(options, crowded);
      } catch {
        // The connection is gone; the next connection starts a new watch.
        return;
      }
      if (isWanted) again();
    });
  };
  const stop = () => {
    isWanted = false;
    cancel();
  };
  connection.once("close", stop);
  again();
  return stop;
}

/** Answers the partitions with more than one consumer; warns of those that had more at the last look already. */
async function look(
  { connection, partitions, log, metrics }: ConsumerWatchOptions,
  before: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const channel: Channel = await connection.createChannel();
  channel.on("error", () => {});
  const crowded = new Set<number>();
  for (const partition of partitions()) {
    const { consumerCount } = await channel.checkQueue(names.partition(partition));
    if (consumerCount > 1) crowded.add(partition);
  }
  await channel.close();
  const strangers = [...crowded].filter((partition) => before.has(partition));
  if (strangers.length > 0) {
    metrics.count("foreign_consumers", undefined, strangers.length);
    log.error(
      { partitions: strangers },
      "somebody else consumes our partitions: end that consumer, or they will stand still at the next hand-over",
    );
  }
  return crowded;
}

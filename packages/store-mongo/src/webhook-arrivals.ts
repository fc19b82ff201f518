import type { Log } from "@chat21/engine";
import type { mongo } from "mongoose";
import type { DeliveryDocument } from "./documents.ts";

/** How long after a failure the stream is opened again. */
const reopenMs = 1_000;

const additions = [{ $match: { operationType: "insert" } }, { $project: { _id: 1 } }];

/**
 * Tells of rows that any process adds, by a change stream. It does not tell of rows that are added while the stream is
 * not open: in an outage or at its beginning.
 */
export function watchArrivals(
  deliveries: mongo.Collection<DeliveryDocument>,
  listener: () => void,
  log: Log | undefined,
): () => void {
  let stream: mongo.ChangeStream | undefined;
  let reopening: NodeJS.Timeout | undefined;
  let isWanted = true;

  function open(): void {
    if (!isWanted) return;
    const opened = deliveries.watch(additions);
    stream = opened;
    opened.on("change", () => {
      if (isWanted) listener();
    });
    // The driver goes on by itself after a failover; a stream that it gives up ends here.
    opened.on("error", (error) => {
      log?.debug({ error: error.message }, "nobody tells of new webhook rows for a moment");
      opened.close().catch(() => {});
      reopening = setTimeout(open, reopenMs).unref();
    });
  }

  open();
  return () => {
    isWanted = false;
    clearTimeout(reopening);
    stream?.close().catch(() => {});
  };
}

import type { WebhookStore } from "@chat21/events";
import { bulkStep } from "./bulk-step.ts";
import type { Read, Write } from "./worker-calls.ts";

/** Bulk changes go in small transactions, so that commits of messages get their turn in between. */
async function inSteps(step: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let changed = bulkStep; changed >= bulkStep; ) {
    changed = await step();
    total += changed;
  }
  return total;
}

/** The webhooks' outbox. */
export function createSqliteWebhooks(write: Write, read: Read): WebhookStore {
  return {
    enqueue: (deliveries) => write("enqueueWebhooks", deliveries),
    lease: (lease) => write("leaseWebhooks", lease),
    settle: (outcomes) => write("settleWebhooks", outcomes),
    due: () => read("dueWebhooks"),
    list: (query) => read("listWebhooks", query),
    replay: (where, now) =>
      "ids" in where
        ? write("replayWebhooks", where.ids, now)
        : inSteps(() => write("replayDeadWebhooks", where.deadOf, now)),
    hasten: (endpoint, now) => inSteps(() => write("hastenWebhooks", endpoint, now)),
    bound: (endpoint, bounds) => inSteps(() => write("boundWebhooks", endpoint, bounds)),
    giveUp: (where, now, error) =>
      "ids" in where
        ? write("skipWebhooks", where.ids, now, error)
        : inSteps(() => write("giveUpWebhooks", where.endpoint, where.queuedBefore, now, error)),
    remove: (ids) => write("removeWebhooks", ids),
    prune: (state, settledBefore, limit) => write("pruneWebhooks", state, settledBefore, limit),
  };
}

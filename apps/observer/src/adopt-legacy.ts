import type { LegacyMessage } from "@chat21/broker-amqp";
import { adoptPersistMessage, type Clock, type Log, type Store } from "@chat21/engine";

/**
 * Takes what an original deployment had not stored yet: each becomes the newest event of its conversation, unless it is
 * there already. One that cannot be read is told to the log and gone with its queue. Rejects when the store fails.
 */
export function createLegacyAdopter(
  store: Store,
  clock: Pick<Clock, "now">,
  log: Pick<Log, "warn">,
): (message: LegacyMessage) => Promise<void> {
  return async (message) => {
    const result = await adoptPersistMessage(store, message, clock);
    if (result.status !== "refused") return;
    const { reason, detail } = result;
    log.warn(
      { reason, detail, routingKey: message.routingKey },
      "left out a message of the original's queue",
    );
  };
}

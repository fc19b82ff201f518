import type { Clock, Log } from "@chat21/engine";
import { ChatError, defaultApp } from "@chat21/protocol";
import type { OriginalBrokerQueues, OriginalQueueMessage } from "./broker-queues.ts";

type Handle = (message: OriginalQueueMessage) => Promise<void>;

/** Settings of {@link takeOriginalQueues}. A handler resolves when the message is durable. */
export interface OriginalQueuesOptions {
  readonly queues: OriginalBrokerQueues;
  /** @default the app that existing clients have built in */
  readonly apps?: readonly string[] | undefined;
  /** Leaves the queues bound, and growing, for another reader. @default false */
  readonly isKept?: boolean;
  /** Takes messages that were not stored yet. @default the queue `persist` is left alone */
  readonly onPersisted?: Handle;
  /** Takes webhooks that were not sent yet. @default the queue `webhooks` is left alone */
  readonly onWebhook?: Handle;
  readonly clock: Pick<Clock, "delay">;
  readonly log: Pick<Log, "info" | "warn">;
}

type QueueName = "messages" | "persist" | "webhooks";

/**
 * Bounds the original's queues, for operators who keep them: a policy to import into the broker with our definitions.
 */
export const originalQueuesPolicy = {
  name: "chat21-original-queues",
  pattern: "^(messages|persist|webhooks)$",
  /** Messages of each queue; the oldest go first. */
  definition: { "max-length": 100_000 },
} as const;

/** The exact bindings of an original. */
function bindingsOf(queue: QueueName, app: string): readonly string[] {
  switch (queue) {
    case "messages":
      return [
        `apps.${app}.outgoing.users.*.messages.*.outgoing`,
        `apps.${app}.users.#.update`,
        `apps.${app}.users.#.archive`,
        `apps.${app}.users.*.presence.*`,
        `apps.observer.${app}.groups.update`,
        `apps.observer.${app}.users.*.messages.*.delivered`,
      ];
    case "persist":
      return [`apps.observer.${app}.users.*.messages.*.persist`];
    case "webhooks":
      return ["message_deliver", "message_update", "conversation_archived", "presence"].map(
        (event) => `observer.webhook.apps.${app}.${event}`,
      );
  }
}

/**
 * A consumer may belong to one of our own processes that has just died. The queue is looked at again, this often and
 * this many times.
 */
const lookEveryMs = 250;
const maxLooks = 24;

/**
 * Takes over the queues of an original on the broker, so that no accepted message is lost and no queue grows for ever:
 * its queues are unbound, drained, and deleted. Call it when our own bindings are there, in one process at a time,
 * before any other queue is consumed. Throws `conflict` when a foreign consumer reads the queues.
 */
export async function takeOriginalQueues(options: OriginalQueuesOptions): Promise<void> {
  const { queues, log, isKept = false, onPersisted, onWebhook } = options;
  const drains: Readonly<Record<QueueName, (() => Promise<number>) | undefined>> = {
    messages: () => queues.drainAsPublished("messages"),
    persist: onPersisted && (() => queues.drain("persist", onPersisted)),
    webhooks: onWebhook && (() => queues.drain("webhooks", onWebhook)),
  };
  // Messages that were not stored or not sent yet are older than messages that were not handled yet.
  for (const queue of ["persist", "webhooks", "messages"] as const) {
    const found = await queues.look(queue);
    if (found === null) continue;
    if (isKept) warnOfKept(log, queue, found.messageCount);
    else await takeQueue(options, queue, drains[queue]);
  }
}

async function takeQueue(
  options: OriginalQueuesOptions,
  queue: QueueName,
  drain: (() => Promise<number>) | undefined,
): Promise<void> {
  const { queues, log, apps = [defaultApp] } = options;
  await refuseForeignConsumers(options, queue);
  if (drain === undefined) {
    log.warn(
      { queue },
      "left a queue of the original deployment alone: nothing is configured to take it; delete it when it is not needed",
    );
    return;
  }
  await queues.unbind(
    queue,
    apps.flatMap((app) => bindingsOf(queue, app)),
  );
  const drained = await drain();
  await queues.deleteEmpty(queue);
  log.info({ queue, drained }, "drained and deleted a queue of the original deployment");
}

async function refuseForeignConsumers(
  { queues, clock }: OriginalQueuesOptions,
  queue: QueueName,
): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const found = await queues.look(queue);
    if (found === null || found.consumerCount === 0) return;
    if (looks > maxLooks) {
      throw new ChatError(
        "conflict",
        `the queue ${queue} has ${found.consumerCount} consumers that are not ours: stop the original server first`,
      );
    }
    await clock.delay(lookEveryMs);
  }
}

function warnOfKept(log: Pick<Log, "warn">, queue: QueueName, messages: number): void {
  log.warn(
    { queue, messages },
    "kept a queue of the original deployment as told: it grows, and AMQP has no way to bound it; " +
      "import our definitions with originalQueuesPolicy, which bounds it, or delete it",
  );
}

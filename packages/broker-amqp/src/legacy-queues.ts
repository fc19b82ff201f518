import type { Log } from "@chat21/engine";
import { ChatError, defaultApp } from "@chat21/protocol";
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { drainQueue, type TakeMessage } from "./drain-queue.ts";
import type { Timers } from "./timers.ts";
import { names } from "./topology.ts";

/** A message that an original deployment left behind. */
export interface LegacyMessage {
  readonly routingKey: string;
  readonly payload: Uint8Array;
}

/**
 * What to do with the queues of an original deployment. Their handlers get one message after the other, in order; one
 * that is refused with `bad_request` becomes a dead letter, any other error stops it all, to be tried again.
 */
export interface LegacyQueueOptions {
  /** Leave them bound, and growing: somebody else is to read them. @default false */
  readonly keepLegacyQueues?: boolean | undefined;
  /** Takes what was not yet stored; resolves when it is durable. @default the queue `persist` is left alone */
  readonly onLegacyPersist?: ((message: LegacyMessage) => Promise<void>) | undefined;
  /** Takes what was not yet sent; resolves when it is durable. @default the queue `webhooks` is left alone */
  readonly onLegacyWebhook?: ((message: LegacyMessage) => Promise<void>) | undefined;
}

/** What {@link takeLegacyQueues} needs. */
export interface LegacyContext extends LegacyQueueOptions {
  readonly connection: ChannelModel;
  /** @default the app that existing clients have built in */
  readonly apps?: readonly string[] | undefined;
  /** Handles a message as if it had just come from a client; resolves when it is finished. */
  readonly take: TakeMessage;
  /** Makes a dead letter of a message; resolves when it is durable. */
  readonly bury: (message: ConsumeMessage, detail: string) => Promise<void>;
  readonly timers: Timers;
  readonly log: Log;
}

type LegacyQueue = "messages" | "persist" | "webhooks";

/** Exactly what an original deployment binds. */
function legacyPatterns(queue: LegacyQueue, app: string): readonly string[] {
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

/** How long a consumer may be the remainder of one of our own processes that has just died, milliseconds. */
const staleConsumerMs = 6_000;
const lookEveryMs = 250;

/**
 * Takes over what an original deployment left on the broker, so that nothing that was accepted is lost and no queue grows
 * for ever: its durable queues are unbound, drained, and deleted. To be called when our own bindings are there, by one
 * process at a time, before anything else is consumed. Throws `conflict` when somebody else consumes them.
 */
export async function takeLegacyQueues(context: LegacyContext): Promise<void> {
  const { keepLegacyQueues = false, take, bury, onLegacyPersist, onLegacyWebhook } = context;
  const handlers: Readonly<Record<LegacyQueue, TakeMessage | undefined>> = {
    messages: take,
    persist: onLegacyPersist && inTurn(onLegacyPersist, bury),
    webhooks: onLegacyWebhook && inTurn(onLegacyWebhook, bury),
  };
  // What was not stored or not sent yet is older than what was not handled yet.
  for (const queue of ["persist", "webhooks", "messages"] as const) {
    const found = await lookAt(context.connection, queue);
    if (found === null) continue;
    if (keepLegacyQueues) warnOfKept(context.log, queue, found.messageCount);
    else await takeQueue(context, queue, handlers[queue]);
  }
}

async function takeQueue(
  context: LegacyContext,
  queue: LegacyQueue,
  handle: TakeMessage | undefined,
): Promise<void> {
  const { connection, log, apps = [defaultApp] } = context;
  await refuseForeignConsumers(context, queue);
  if (handle === undefined) {
    log.warn(
      { queue },
      "left a queue of the original deployment alone: nothing is configured to take it; delete it when it is not needed",
    );
    return;
  }
  const channel = await openQuietly(connection);
  for (const pattern of apps.flatMap((app) => legacyPatterns(queue, app))) {
    await channel.unbindQueue(queue, names.mqtt, pattern);
  }
  const drained = await drainQueue(connection, queue, handle);
  await channel.deleteQueue(queue, { ifEmpty: true });
  await channel.close();
  log.info({ queue, drained }, "drained and deleted a queue of the original deployment");
}

async function refuseForeignConsumers(
  { connection, timers }: LegacyContext,
  queue: LegacyQueue,
): Promise<void> {
  const until = timers.now() + staleConsumerMs;
  for (;;) {
    const found = await lookAt(connection, queue);
    if (found === null || found.consumerCount === 0) return;
    if (timers.now() >= until) {
      throw new ChatError(
        "conflict",
        `the queue ${queue} has ${found.consumerCount} consumers that are not ours: stop the original server first`,
      );
    }
    await new Promise<void>((resolve) => void timers.after(lookEveryMs, resolve));
  }
}

/** `null` where there is no such queue. Asking for one that is missing ends the channel. */
async function lookAt(connection: ChannelModel, queue: string) {
  const channel = await openQuietly(connection);
  try {
    const found = await channel.checkQueue(queue);
    await channel.close();
    return found;
  } catch (error) {
    if ((error as { readonly code?: number }).code === 404) return null;
    throw error;
  }
}

async function openQuietly(connection: ChannelModel): Promise<Channel> {
  const channel = await connection.createChannel();
  // Its calls reject with the reason.
  channel.on("error", () => {});
  return channel;
}

/** One after the other: a queue is handed out many at a time. After an error none is begun. */
function inTurn(handle: (message: LegacyMessage) => Promise<void>, bury: LegacyContext["bury"]): TakeMessage {
  let last = Promise.resolve();
  return (message) => {
    last = last.then(async () => {
      try {
        await handle(legacyMessage(message));
      } catch (error) {
        if (!(error instanceof ChatError) || error.code !== "bad_request") throw error;
        await bury(message, error.message);
      }
    });
    return last;
  };
}

function warnOfKept(log: Log, queue: LegacyQueue, messages: number): void {
  log.warn(
    { queue, messages },
    "kept a queue of the original deployment as told: it grows, and AMQP has no way to bound it; " +
      "import our definitions with keepLegacyQueues, which bound it by a policy, or delete it",
  );
}

function legacyMessage({ fields, content }: ConsumeMessage): LegacyMessage {
  return { routingKey: fields.routingKey, payload: content };
}

import { names, topologyLimits } from "@chat21/broker-amqp";
import { type ConsumeMessage, connect } from "amqplib";
import { AckPrefix } from "./relay/ack-prefix.ts";
import { copyKeys } from "./relay/copies.ts";
import { announce } from "./targets/announce.ts";

/**
 * The yardstick of the cluster: takes messages from the same partitions as an observer and publishes a copy of the very
 * bytes to each inbox, only the acknowledgement waits for their confirms. No rule, no store. The partitions are there
 * already. Arguments: AMQP address, prefetch of each partition.
 */
const [uri = "", prefetch = ""] = process.argv.slice(2);
const transient = { deliveryMode: 1 } as const;
const connections = await Promise.all([0, 1].map(() => connect(uri, { noDelay: true })));
const [inbound, outbound] = connections;
if (inbound === undefined || outbound === undefined) throw new Error("there is no connection");
const consuming = await inbound.createChannel();
const publishing = await outbound.createConfirmChannel();
const acks = new AckPrefix();
let acknowledges = false;

function acknowledgeLater(): void {
  if (acknowledges) return;
  acknowledges = true;
  setImmediate(() => {
    acknowledges = false;
    const deliveryTag = acks.take();
    if (deliveryTag !== null) consuming.ack({ fields: { deliveryTag } } as ConsumeMessage, true);
  });
}

function relay({ fields, content }: ConsumeMessage): void {
  const keys = copyKeys(fields.routingKey);
  let unconfirmed = keys.length;
  const confirm = (error: unknown) => {
    if (error) throw new Error("the broker refused a copy", { cause: error });
    if (--unconfirmed > 0) return;
    acks.finish(fields.deliveryTag);
    acknowledgeLater();
  };
  if (keys.length === 0) throw new Error(`no copy can be made of ${fields.routingKey}`);
  for (const key of keys) publishing.publish(names.mqtt, key, content, transient, confirm);
}

await consuming.prefetch(Number(prefetch));
for (let partition = 0; partition < topologyLimits.partitions; partition++) {
  const queue = names.partition(partition);
  await consuming.consume(queue, (message) => {
    if (message === null) throw new Error(`${queue} is gone`);
    relay(message);
  });
}
announce({});

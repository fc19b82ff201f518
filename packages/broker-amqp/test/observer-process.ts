import type { EdgeHandler } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { connectMongoStore } from "@chat21/store-mongo";
import { createAmqpEdge } from "../src/index.ts";

/** An observer without an engine: it delivers to the sender what the sender sent, and says on stdout what it consumes. */
const [amqpUri = "", holder = "", mongoUri = "", database = "", queueType = "classic"] =
  process.argv.slice(2);
const store = await connectMongoStore({ uri: mongoUri, database });
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const edge = createAmqpEdge({
  ...{ uri: amqpUri, holder, leases: store.leases, log: silent, metrics: { count() {}, observe() {} } },
  network: store.epoch,
  queueType: queueType === "quorum" ? "quorum" : "classic",
});

const handler: Partial<EdgeHandler> = {
  async handleTakeover() {},
  async handlePublish({ app, user }, { payload, isCurrent }) {
    // Where the engine has the store's fence.
    if (isCurrent?.() === false) throw new ChatError("shutting_down");
    const text = Buffer.from(payload).toString();
    await edge.deliver([{ app, user, topic: `apps/${app}/users/${user}/echo`, payload: text, qos: 1 }]);
  },
};
await edge.start(handler as EdgeHandler);

let said = -1;
setInterval(() => {
  const { length } = edge.partitions;
  if (length !== said) process.stdout.write(`${length}\n`);
  said = length;
}, 20);
process.once("SIGTERM", () => {
  edge
    .close(10_000)
    .then(() => store.close())
    .then(() => process.exit(0));
});

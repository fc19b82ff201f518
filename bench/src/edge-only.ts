import { createEmbeddedEdge } from "@chat21/broker-embedded";
import type { Delivery, EdgeHandler, Session } from "@chat21/engine";
import { parseClientTopic, topics } from "@chat21/protocol";
import { membersOf } from "./load/group-name.ts";
import { announce } from "./targets/announce.ts";
import { app } from "./targets/target.ts";

/**
 * Our edge with an engine that accepts every user and stores nothing, but makes the same deliveries as the real one.
 */
const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };
const edge = createEmbeddedEdge({
  listeners: [
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    { kind: "ws", host: "127.0.0.1", port: 0 },
  ],
  log: quiet,
  metrics: { count() {}, observe() {} },
});
const members = new Map<string, readonly string[]>();

function recipientsOf(sender: string, recipient: string): readonly string[] {
  if (!recipient.startsWith("group-")) return [sender, recipient];
  let found = members.get(recipient);
  if (found === undefined) {
    found = membersOf(recipient) ?? [];
    members.set(recipient, found);
  }
  return found;
}

// One batch per turn, as the engine commits one.
let batch: { deliveries: Delivery[]; committed: Promise<void> } | null = null;

function nextBatch() {
  const begun: { deliveries: Delivery[]; committed: Promise<void> } = {
    deliveries: [],
    committed: new Promise((resolve) => {
      setImmediate(() => {
        batch = null;
        edge.deliver(begun.deliveries);
        resolve();
      });
    }),
  };
  batch = begun;
  return begun;
}

const handler: EdgeHandler = {
  authenticate: async ({ clientId }): Promise<Session> => ({
    app,
    user: clientId,
    clientId,
    admin: false,
    expiresAt: Number.MAX_SAFE_INTEGER,
    issuedAt: 0,
    tokenId: "",
  }),
  renew: async () => {},
  isAdmitted: () => true,
  handleOpen() {},
  handleClose() {},
  handleTakeover: async () => {},
  handleGone: async () => {},
  handleMoved() {},
  canSubscribe: () => true,
  handlePublish(session, { topic, payload }) {
    const parsed = parseClientTopic(topic);
    if (parsed?.kind !== "send") return Promise.resolve();
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
    const current = batch ?? nextBatch();
    const group = parsed.recipient.startsWith("group-");
    for (const user of recipientsOf(session.user, parsed.recipient)) {
      const conversWith = group || user === session.user ? parsed.recipient : session.user;
      const to = topics.messageAdded(app, user, conversWith);
      current.deliveries.push({ app, user, topic: to, payload: text, qos: 1 });
    }
    return current.committed;
  },
};

await edge.start(handler);
const [tcp, ws] = edge.addresses;
announce({ tcp: tcp?.url ?? "", ws: ws?.url ?? "" });

import { randomUUID } from "node:crypto";
import { createEmbeddedEdge } from "@chat21/broker-embedded";
import { describeEdge, ScriptedHandler } from "@chat21/testkit";
import { requireRabbit } from "@chat21/testkit/services";
import { createNodeEdge } from "../src/index.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const metrics = { count() {}, observe() {} };

describeEdge("the edge of a node, beside an older node", async (handler) => {
  const { uri } = await requireRabbit();
  const network = randomUUID();
  const open = () => {
    const local = createEmbeddedEdge({
      listeners: [
        { kind: "tcp", host: "127.0.0.1", port: 0 },
        { kind: "ws", host: "127.0.0.1", port: 0 },
      ],
      ...{ log, metrics },
    });
    const holder = `node-${randomUUID()}`;
    return { local, edge: createNodeEdge({ uri, holder, network, local, listenMs: 50, log, metrics }) };
  };
  const older = open();
  await older.edge.start(new ScriptedHandler());
  const { local, edge } = open();
  await edge.start(handler);
  const [tcp, ws] = local.addresses;
  const close = async () => {
    await Promise.all([edge.close(1_000), older.edge.close(1_000)]);
  };
  return { edge, tcpPort: tcp?.port ?? 0, wsUrl: ws?.url ?? "", close };
});

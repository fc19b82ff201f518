import { describeEdge } from "@chat21/testkit";
import { createEmbeddedEdge } from "../src/index.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

describeEdge("the embedded edge", async (handler) => {
  const edge = createEmbeddedEdge({
    listeners: [
      { kind: "tcp", host: "127.0.0.1", port: 0 },
      { kind: "ws", host: "127.0.0.1", port: 0 },
    ],
    log: silent,
    metrics: { count() {}, observe() {} },
  });
  await edge.start(handler);
  const [tcp, ws] = edge.addresses;
  return { edge, tcpPort: tcp?.port ?? 0, wsUrl: ws?.url ?? "", close: () => edge.close(1_000) };
});

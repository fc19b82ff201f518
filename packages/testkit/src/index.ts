export type { OpenEdge, OpenedEdge } from "./edge-contract.ts";
export { describeEdge } from "./edge-contract.ts";
export type { ChromiumLaunchOptions } from "./chromium.ts";
export { chromiumLaunchOptions } from "./chromium.ts";
export type {
  CompatTokenOptions,
  Frame,
  OldClientOptions,
  ReceivedWebhook,
  RestAnswer,
  StartTopology,
  Topology,
  TopologyOptions,
  WebhookReceiver,
} from "./conformance/index.ts";
export {
  compatToken,
  describeConformance,
  OldClient,
  RestCaller,
  startWebhookReceiver,
  World,
} from "./conformance/index.ts";
export type { ManualClock } from "./manual-clock.ts";
export { createManualClock } from "./manual-clock.ts";
export type { DiskConversation, DiskDelivery, DiskMember, MemoryDisk } from "./memory-store/disk.ts";
export { createMemoryDisk } from "./memory-store/disk.ts";
export type { Gate } from "./memory-store/gate.ts";
export type { MemoryStoreOptions } from "./memory-store.ts";
export { createMemoryStore } from "./memory-store.ts";
export type { RecordedClient, RecordedFrame, RecordingEdge } from "./recording-edge.ts";
export { createRecordingEdge } from "./recording-edge.ts";

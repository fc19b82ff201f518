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
export type { JoinOptions, OpenEdge, OpenedEdge } from "./edge-contract/edge-world.ts";
export {
  connectPacket,
  deliveryOf,
  EdgeWorld,
  pingreq,
  publishPacket,
  subscribePacket,
} from "./edge-contract/edge-world.ts";
export type { Carrier, RawConnection } from "./edge-contract/raw-connection.ts";
export {
  encode as encodePackets,
  encode5 as encodePackets5,
  openTcp,
  openWebSocket,
} from "./edge-contract/raw-connection.ts";
export type { RecordedPublish } from "./edge-contract/scripted-handler.ts";
export { ScriptedHandler } from "./edge-contract/scripted-handler.ts";
export { describeEdge } from "./edge-contract.ts";
export { keepAliveProbes } from "./keep-alive-probes.ts";
export type { OpenedLeases, OpenLeases } from "./lease-contract.ts";
export { describeLeaseStore } from "./lease-contract.ts";
export type { ManualClock } from "./manual-clock.ts";
export { createManualClock } from "./manual-clock.ts";
export { createMemoryLeases } from "./memory-leases.ts";
export type { DiskConversation, DiskDelivery, DiskMember, MemoryDisk } from "./memory-store/disk.ts";
export { createMemoryDisk } from "./memory-store/disk.ts";
export type { Gate } from "./memory-store/gate.ts";
export type { MemoryStore, MemoryStoreOptions } from "./memory-store.ts";
export { createMemoryStore } from "./memory-store.ts";
export type {
  DeliveryFate,
  EdgePublish,
  RecordedAttempt,
  RecordedClient,
  RecordedFrame,
  RecordingEdge,
} from "./recording-edge.ts";
export { createRecordingEdge } from "./recording-edge.ts";
export type { OpenedRedeliveries } from "./redelivery-contract.ts";
export { describeRedeliveryLog } from "./redelivery-contract.ts";
export { reduceStar, starred, starredType, starredWebhook } from "./starred-kind.ts";
export type { OpenedStore, OpenStore } from "./store-contract.ts";
export { describeStore } from "./store-contract.ts";
export { testCertificate } from "./test-certificate.ts";
export type { WholeStore } from "./whole-store.ts";

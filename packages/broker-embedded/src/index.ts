export type { EmbeddedEdge, EmbeddedEdgeOptions } from "./create-embedded-edge.ts";
export { createEmbeddedEdge } from "./create-embedded-edge.ts";
export type { EdgeLimits } from "./edge-limits.ts";
export { defaultEdgeLimits } from "./edge-limits.ts";
export type {
  EdgeAddress,
  EdgeListenerOptions,
  HttpServerListenerOptions,
  TcpListenerOptions,
  WebSocketListenerOptions,
} from "./listen/edge-listener.ts";
export { isEventStreamPath } from "./listen/event-streams.ts";
export { isMqttPath } from "./listen/web-socket-listener.ts";

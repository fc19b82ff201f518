import type { Log, Metrics } from "@chat21/engine";
import { EdgeWorld } from "@chat21/testkit";
import { onTestFinished } from "vitest";
import {
  createEmbeddedEdge,
  type EdgeLimits,
  type EdgeListenerOptions,
  type EmbeddedEdge,
} from "../src/index.ts";

/** A started edge with its log lines and counters. */
export interface StartedEdge {
  readonly world: EdgeWorld;
  readonly edge: EmbeddedEdge;
  /** Lines at `info` and above, as `message {"field":…}`. */
  readonly lines: readonly string[];
  /** Counters by name and label values, as `sessions_closed gone`. */
  readonly counts: ReadonlyMap<string, number>;
}

const onTcpAndWebSocket: readonly EdgeListenerOptions[] = [
  { kind: "tcp", host: "127.0.0.1", port: 0 },
  { kind: "ws", host: "127.0.0.1", port: 0 },
];

/** Starts an edge for one test; it is closed when the test ends. */
export async function startEdge(
  limits: Partial<EdgeLimits> = {},
  listeners: readonly EdgeListenerOptions[] = onTcpAndWebSocket,
): Promise<StartedEdge> {
  const lines: string[] = [];
  const counts = new Map<string, number>();
  const edge = createEmbeddedEdge({
    listeners,
    limits,
    log: recordingLog(lines),
    metrics: recordingMetrics(counts),
  });
  const world = new EdgeWorld();
  onTestFinished(() => world.close());
  await world.open(async (handler) => {
    await edge.start(handler);
    const port = edge.addresses.find(({ kind }) => kind === "tcp")?.port ?? 0;
    const url = edge.addresses.find(({ kind }) => kind === "ws")?.url ?? "";
    return { edge, tcpPort: port, wsUrl: url, close: () => edge.close(1_000) };
  });
  return { world, edge, lines, counts };
}

/** A log that keeps the lines at `info` and above. */
export function recordingLog(lines: string[]): Log {
  const keep = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { debug() {}, info: keep, warn: keep, error: keep };
}

function recordingMetrics(counts: Map<string, number>): Metrics {
  return {
    count(name, labels = {}, by = 1) {
      const key = [name, ...Object.values(labels)].join(" ");
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    observe() {},
  };
}

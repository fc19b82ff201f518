import { randomUUID } from "node:crypto";
import { createMemoryStore, type MemoryDisk } from "@chat21/testkit";
import type { Clock, Delivery, Edge, Engine, EventSink, Fact, Store } from "../src/index.ts";
import { createEngine } from "../src/index.ts";
import { type Neighbours, shareWith } from "./world.ts";

const never = new Promise<never>(() => {});

/** What one life of a process did that the outside could see. A dead process shows nothing more. */
export interface SimulatedProcess {
  readonly engine: Engine;
  readonly store: Store;
  /** Deliveries to connected users, in order. */
  readonly deliveries: readonly Delivery[];
  readonly isDead: () => boolean;
  readonly kill: () => void;
  /** Await points passed so far. */
  readonly points: () => number;
}

/** What a process is started with. */
export interface SimulationOptions {
  readonly disk: MemoryDisk;
  readonly clock: Clock;
  /** Takes what sinks were given; durable, so it outlives the process. */
  readonly facts: Fact[];
  /** Dies at the n-th await point of its writers. @default lives on */
  readonly killAt?: number;
  /** Other processes live on the same disk. @default this one alone */
  readonly neighbours?: Neighbours;
  /** Holds every await point up until it resolves. @default nothing is held up */
  readonly hold?: (point: string) => Promise<void>;
}

/** Starts an engine on a disk; every durable effect, delivery and hand-over is a point at which it may die. */
export async function startProcess(options: SimulationOptions): Promise<SimulatedProcess> {
  let dead = false;
  let points = 0;
  const deliveries: Delivery[] = [];
  const gate = async (point: string): Promise<void> => {
    if (dead) return never;
    points += 1;
    if (points === options.killAt) dead = true;
    if (dead) return never;
    await options.hold?.(point);
    if (dead) return never;
  };
  const edge: Edge = {
    start: async () => {},
    reaches: () => true,
    deliver: (given) => {
      if (!dead) deliveries.push(...given);
      return undefined;
    },
    disconnect: () => 0,
    setPaused: () => {},
    close: async () => {},
  };
  const sink: EventSink = {
    name: "recorded",
    async accept(facts) {
      await gate("sink:before");
      options.facts.push(...facts);
      await gate("sink:after");
    },
  };
  const store = createMemoryStore({ disk: options.disk, gate });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const engine = createEngine({
    store,
    edge,
    tokens: { verify: () => never },
    clock: options.clock,
    newId: randomUUID,
    log: silent,
    metrics: { count() {}, observe() {} },
    sinks: [sink],
    ...(options.neighbours === undefined
      ? {}
      : { shared: shareWith(options.neighbours, store.redeliveries) }),
    // Small batches, so that one is handed over while the next commits.
    batchItems: 2,
  });
  const kill = () => {
    dead = true;
  };
  return { engine, store, deliveries, isDead: () => dead, kill, points: () => points };
}

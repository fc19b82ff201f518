import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServerKeys, createTokens, createVerifier } from "@chat21/auth";
import { createEngine, type Fact } from "@chat21/engine";
import { createHttpApi } from "@chat21/http-api";
import { createPrometheusMetrics, systemClock } from "@chat21/runtime";
import { compatToken, createRecordingEdge, RestCaller, type WholeStore } from "@chat21/testkit";
import { pino } from "pino";
import { Registry } from "prom-client";

const secret = "tokenKey";

/** REST over a store, with all that a server has but listeners for MQTT. */
export interface RestOfStore {
  as(user: string, role?: "user" | "admin"): RestCaller;
  /** What webhooks would have been told. */
  readonly facts: readonly Fact[];
  close(): Promise<void>;
}

/** Serves a store as a server would, on a free port. */
export async function serveStore(store: WholeStore): Promise<RestOfStore> {
  const tokens = createTokens({ secret, clock: systemClock, newId: randomUUID });
  const verifier = createVerifier({ tokens, revocations: store.revocations, clock: systemClock });
  const registry = new Registry();
  const log = pino({ level: "silent" });
  const edge = createRecordingEdge();
  const facts: Fact[] = [];
  const engine = createEngine({
    store,
    edge,
    tokens: verifier,
    clock: systemClock,
    newId: randomUUID,
    log,
    metrics: createPrometheusMetrics(registry),
    sinks: [{ name: "recorded", accept: async (some: readonly Fact[]) => void facts.push(...some) }],
  });
  await engine.start();
  await edge.start(engine);
  const config = { rateLimits: { requests: 1_000_000, signIns: 1, authFailures: 1_000 } };
  const serverKeys = createServerKeys({ store: store.serverKeys, clock: systemClock, log });
  const server = createServer(
    createHttpApi({ engine, store, tokens, verifier, serverKeys, clock: systemClock, log, registry, config }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    facts,
    as: (user, role = "user") =>
      new RestCaller(`http://127.0.0.1:${port}/api`, compatToken(user, { secret, role })),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await engine.drain();
      verifier.stop();
      await store.close();
    },
  };
}

import { randomUUID } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createTokens,
  createVerifier,
  type IssueRequest,
  type ServerKeys,
  type Tokens,
  type Verifier,
} from "@chat21/auth";
import { createEngine, type Engine, type Fact } from "@chat21/engine";
import { createHttpServer, createPrometheusMetrics } from "@chat21/runtime";
import {
  createManualClock,
  createMemoryDisk,
  createMemoryStore,
  createRecordingEdge,
  type Gate,
  type ManualClock,
  type MemoryDisk,
  type MemoryStore,
  type RecordingEdge,
} from "@chat21/testkit";
import { type Logger, pino } from "pino";
import { Registry } from "prom-client";
import {
  type CallerParts,
  createCallers,
  createHttpApi,
  type HttpApiConfig,
  httpApiDefaults,
} from "../src/index.ts";

export const app = "tilechat";
const secret = "tokenKey";

/** What came back. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect to be there.
  readonly json: any;
}

/** What goes out. `token` is sent as existing clients do, raw in `Authorization`. */
export interface Call {
  readonly token?: string;
  /** Goes as JSON. */
  readonly body?: unknown;
  /** Goes as it is, as `application/json` unless the headers say otherwise. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A running API with a real engine, store in memory, and an edge without sockets. */
export interface Api {
  readonly port: number;
  readonly engine: Engine;
  readonly store: MemoryStore;
  readonly disk: MemoryDisk;
  readonly edge: RecordingEdge;
  readonly clock: ManualClock;
  readonly tokens: Tokens;
  readonly verifier: Verifier;
  readonly serverKeys: ServerKeys;
  readonly authFailures: CallerParts["authFailures"];
  readonly log: Logger;
  /** What was handed over to webhooks and the like. */
  readonly facts: readonly Fact[];
  /** Lines of the log, parsed. */
  readonly logged: readonly Record<string, unknown>[];
  token(user: string, more?: Partial<IssueRequest>): string;
  admin(): string;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  get(path: string, token?: string): Promise<Answer>;
  post(path: string, token: string | undefined, body?: unknown): Promise<Answer>;
  put(path: string, token: string | undefined, body?: unknown): Promise<Answer>;
  delete(path: string, token: string | undefined, body?: unknown): Promise<Answer>;
  close(): Promise<void>;
}

/** Options of {@link startApi}. */
export interface StartOptions {
  readonly config?: Partial<HttpApiConfig>;
  /** Where failures of the store are put. */
  readonly gate?: Gate;
}

/** Starts an API on a free port of 127.0.0.1. */
export async function startApi({ config = {}, gate }: StartOptions = {}): Promise<Api> {
  const clock = createManualClock();
  const disk = createMemoryDisk();
  const store = createMemoryStore(gate === undefined ? { disk } : { disk, gate });
  const edge = createRecordingEdge();
  const tokens = createTokens({ secret, clock, newId: randomUUID });
  const verifier = createVerifier({ tokens, revocations: store.revocations, clock });
  const registry = new Registry();
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const metrics = createPrometheusMetrics(registry);
  const facts: Fact[] = [];
  const sinks = [{ name: "recorded", accept: async (some: readonly Fact[]) => void facts.push(...some) }];
  const engine = createEngine({
    store,
    edge,
    tokens: verifier,
    clock,
    newId: randomUUID,
    log,
    metrics,
    sinks,
    rateLimits: false,
  });
  verifier.onRevocation(({ app, user, tokenId, issuedBefore }) => {
    const which = tokenId === null ? { issuedBefore: issuedBefore ?? 0 } : { tokenId };
    engine.handleRevocation({ app, user, ...which });
  });
  await engine.start();
  await edge.start(engine);
  const { rateLimits = httpApiDefaults.rateLimits } = config;
  const { serverKeys, authFailures } = createCallers({
    verifier,
    keys: store.serverKeys,
    rateLimits,
    clock,
    log,
  });
  const handler = createHttpApi({
    engine,
    store,
    tokens,
    verifier,
    serverKeys,
    authFailures,
    clock,
    log,
    registry,
    config,
  });
  const server = createHttpServer(handler, undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const call = (method: string, path: string, options: Call = {}) => send(port, method, path, options);
  const withBody = (method: string) => (path: string, token: string | undefined, body?: unknown) =>
    call(method, path, {
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body }),
    });

  return {
    port,
    engine,
    store,
    disk,
    edge,
    clock,
    tokens,
    verifier,
    serverKeys,
    authFailures,
    log,
    facts,
    logged,
    token: (user, more = {}) => tokens.issue({ app, user, profile: "compat", ...more }).token,
    admin: () => tokens.issue({ app, user: "100-APIADMIN", admin: true, profile: "compat" }).token,
    call,
    get: (path, token) => call("GET", path, token === undefined ? {} : { token }),
    post: withBody("POST"),
    put: withBody("PUT"),
    delete: withBody("DELETE"),
    async close() {
      await engine.drain();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(port: number, method: string, path: string, options: Call): Promise<Answer> {
  const { token, body, raw, headers = {} } = options;
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const all = {
    ...(token === undefined ? {} : { authorization: token }),
    // Node sends the body of a DELETE without its length otherwise.
    ...(payload === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(payload)) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers: all }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          get json() {
            return JSON.parse(text);
          },
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

/** Body of a message through the existing API. */
export function oldMessage(recipient: string, text: string, more: object = {}): object {
  return {
    sender_fullname: "Somebody",
    recipient_id: recipient,
    recipient_fullname: recipient,
    text,
    type: "text",
    ...more,
  };
}

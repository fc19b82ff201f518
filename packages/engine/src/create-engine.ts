import { ChatError, isId, isOwnFilter, parseClientTopic } from "@chat21/protocol";
import { Dispatcher } from "./dispatcher.ts";
import type { Engine } from "./engine.ts";
import { Exclusive } from "./exclusive.ts";
import { InboundRouter } from "./inbound-router.ts";
import { LiveSessions } from "./live-sessions.ts";
import { conversationOperations } from "./operations/conversations.ts";
import { groupOperations } from "./operations/groups.ts";
import { messageOperations } from "./operations/messages.ts";
import { presenceOperations } from "./operations/presence.ts";
import { syncOperations } from "./operations/sync.ts";
import { nameless, type OperationsContext } from "./operations-context.ts";
import type { Clock } from "./ports/clock.ts";
import type { Contacts } from "./ports/contacts.ts";
import type { ConnectAttempt, Edge, Session } from "./ports/edge.ts";
import type { EventSink } from "./ports/event-sink.ts";
import type { TokenVerifier } from "./ports/identity.ts";
import type { Invalidations } from "./ports/invalidations.ts";
import type { LeaseStore } from "./ports/lease-store.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";
import type { Store } from "./ports/store.ts";
import type { Log, Metrics } from "./ports/telemetry.ts";
import { PresenceKeeper, presenceSweepMs } from "./presence-keeper.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { StateCache } from "./state-cache.ts";
import { Writer } from "./writer.ts";

/** What an engine is made of. */
export interface EngineOptions {
  readonly store: Store;
  readonly edge: Edge;
  readonly tokens: TokenVerifier;
  readonly clock: Clock;
  /** A new random UUID each time. */
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** @default none */
  readonly sinks?: readonly EventSink[];
  /** @default everybody is called by the id */
  readonly contacts?: Contacts;
  /** Apps that are served. @default any */
  readonly apps?: readonly string[];
  /** Tell sinks about presence. @default true */
  readonly presence?: boolean;
  /** Token bucket per sender; `system` and admins are exempt. @default no limit */
  readonly messageRate?: { readonly capacity: number; readonly refillPerMinute: number };
  /** Items of one commit, at most. @default 1000 */
  readonly batchItems?: number;
  /** Conversations held in memory between writes. @default 20000 */
  readonly cachedConversations?: number;
  /** Other processes write to the same store. @default this process is the only one */
  readonly shared?: SharedStoreOptions;
}

/** What an engine needs where it is one of several on the same store. */
export interface SharedStoreOptions {
  /** Names this process among the holders of leases; 1-64 characters. */
  readonly holder: string;
  readonly leases: LeaseStore;
  readonly invalidations: Invalidations;
  readonly redeliveries: RedeliveryLog;
}

/** Names of leases. */
const dispatchSweep = "sweep/dispatch";
const presenceSweep = "sweep/presence";
const dispatchSweepMs = 2_000;
const sessionSweepMs = 1_000;
/** Only what has stayed undispatched for so long is looked at by the sweep. */
const staleAfterMs = 2_000;
/** The same where others write, too: what a slow broker has not taken yet from them must not look left behind. */
const sharedStaleAfterMs = 6_000;
/**
 * What a process leaves behind is older than this when its leases have run out (2 s after they were renewed, every
 * 0.5 s), and what the living have under way is younger.
 */
const leftBehindAfterMs = 1_200;
const takeoverRetryMs = 100;
/** Callers wait so long for a broker to take what is committed. */
const dispatchPatienceMs = 5_000;
const releaseSweepMs = 1_000;

/** Binds the rules to their ports. Nothing runs before `start`. */
export function createEngine(options: EngineOptions): Engine {
  const { store, edge, tokens, clock, log, metrics, apps } = options;
  const sinks = options.sinks ?? [];
  let storeHealthy = true;
  let draining = false;
  const stops: (() => void)[] = [];
  const background = new Set<Promise<unknown>>();

  const { shared } = options;
  const isShared = shared !== undefined;
  const redeliveries = shared?.redeliveries;
  const exclusive = new Exclusive(shared);
  const maxConversations = options.cachedConversations ?? 20_000;
  const states = new StateCache({ conversations: store.conversations, maxConversations, isShared });
  shared?.invalidations.onReceived(({ app, conversation }) => states.forget(app, conversation));
  const dispatcher = new Dispatcher({ store, edge, sinks, states, clock, log, metrics, redeliveries });
  const writer = new Writer({
    store,
    states,
    clock,
    newId: options.newId,
    log,
    metrics,
    batchItems: options.batchItems ?? 1_000,
    isShared,
    redeliveries,
    backpressure: () => dispatcher.backpressure(),
    dispatch: (committed, arrivals) => dispatcher.dispatch(committed, arrivals),
    onStoreHealth: (healthy) => {
      if (storeHealthy === healthy) return;
      storeHealthy = healthy;
      edge.setPaused(!healthy);
    },
  });
  const context: OperationsContext = {
    store,
    edge,
    sinks,
    states,
    writer,
    dispatcher,
    clock,
    contacts: options.contacts ?? { lookup: async (_app, users) => users.map(nameless) },
    rate: new RateLimiter(options.messageRate ?? null, clock),
    newId: options.newId,
    metrics,
    invalidations: shared?.invalidations ?? { send: () => {} },
    requireService: (app) => {
      if (draining) throw new ChatError("shutting_down");
      if (apps !== undefined && !apps.includes(app))
        throw new ChatError("forbidden", "this app is not served here");
    },
  };
  const sessions = new LiveSessions();
  const presenceOf = presenceOperations(context);
  const presence = new PresenceKeeper(context, sessions, options.presence ?? true);
  const router = new InboundRouter(context, presence, presenceOf);

  /** Work nobody waits for: drained before the engine stops, its failures logged. */
  const inBackground = (what: string, work: Promise<unknown>): void => {
    const watched = work.catch((err: unknown) => log.warn({ err }, `${what} failed`));
    background.add(watched);
    void watched.then(() => background.delete(watched));
  };

  const every = (intervalMs: number, what: string, run: () => Promise<unknown>): void => {
    let running = false;
    const once = async (): Promise<void> => {
      running = true;
      try {
        await run();
      } finally {
        running = false;
      }
    };
    stops.push(clock.every(intervalMs, () => (running ? undefined : inBackground(what, once()))));
  };

  return {
    epoch: store.epoch,
    conversations: conversationOperations(context),
    groups: groupOperations(context),
    messages: messageOperations(context),
    presence: presenceOf,
    sync: syncOperations(context),

    async start() {
      // Whatever is undispatched in a store of one's own was left by an earlier process.
      if (shared === undefined) await dispatcher.sweep(Number.MAX_SAFE_INTEGER);
      // During an outage the writer itself finds out what was stored, and dispatches it.
      every(dispatchSweepMs, "the dispatch sweep", async () => {
        if (storeHealthy)
          await exclusive.run(dispatchSweep, () =>
            dispatcher.sweep(clock.now() - (isShared ? sharedStaleAfterMs : staleAfterMs)),
          );
      });
      every(presenceSweepMs, "the presence sweep", () =>
        exclusive.run(presenceSweep, () => presence.sweep()),
      );
      if (shared !== undefined)
        every(releaseSweepMs, "the release of callers", async () =>
          writer.releaseOverdue(clock.now() - dispatchPatienceMs),
        );
      every(sessionSweepMs, "the session sweep", async () => {
        edge.disconnect({ expiredAt: clock.now() }, "expired");
      });
    },

    async authenticate(attempt) {
      try {
        if (draining) throw new ChatError("shutting_down");
        return await admit(attempt, tokens, apps);
      } catch (thrown) {
        throw ChatError.fromUnknown(thrown);
      }
    },

    handleOpen(session) {
      sessions.add(session);
    },

    handleClose(session) {
      if (sessions.remove(session)) inBackground("ending a presence lease", presence.offline(session));
    },

    canSubscribe: (session, filter) => isOwnFilter(session.app, session.user, filter),

    handlePublish: (session, inbound) => router.handle(session, inbound),

    async handleTakeover() {
      const before = clock.now() - leftBehindAfterMs;
      while (!(await exclusive.run(dispatchSweep, () => dispatcher.sweep(before))))
        await clock.delay(takeoverRetryMs);
    },

    handleGone: (clientId) => presence.gone(clientId),

    handleRevocation: (where) => edge.disconnect(where, "revoked"),

    health() {
      if (draining) return { ready: false, reason: "shutting_down" };
      return storeHealthy ? { ready: true, reason: "ok" } : { ready: false, reason: "store_unavailable" };
    },

    async drain() {
      draining = true;
      for (const stop of stops.splice(0)) stop();
      await writer.drained();
      await dispatcher.drained();
      while (background.size > 0) await Promise.all(background);
    },
  };
}

/** Decides on a CONNECT: a good token, a client id that is the token's own, a will that is only presence. */
async function admit(
  attempt: ConnectAttempt,
  tokens: TokenVerifier,
  apps: readonly string[] | undefined,
): Promise<Session> {
  const { clientId, password, will } = attempt;
  if (!isId(clientId)) throw new ChatError("invalid_id", "the client id has a form that is not allowed");
  if (password === undefined || password === "") throw new ChatError("unauthorized");
  const identity = await tokens.verify(password);
  const { app, user } = identity;
  // Topics and filters are compared with these two: a user called `+` would be everybody.
  if (!isId(app) || !isId(user))
    throw new ChatError("invalid_id", "the token names an app or a user with a form that is not allowed");
  if (apps !== undefined && !apps.includes(app))
    throw new ChatError("forbidden", "this app is not served here");
  if (identity.clientId !== null && identity.clientId !== clientId) {
    throw new ChatError("forbidden", "the token is bound to another client id");
  }
  if (will !== undefined) {
    const topic = parseClientTopic(will.topic);
    if (topic?.kind !== "presence" || topic.app !== app || topic.user !== user) {
      throw new ChatError("forbidden", "a will may only be the client's own presence");
    }
  }
  return {
    app,
    user,
    clientId,
    admin: identity.admin,
    expiresAt: identity.expiresAt,
    issuedAt: identity.issuedAt,
    tokenId: identity.tokenId,
  };
}

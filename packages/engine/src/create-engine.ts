import { ChatError } from "@chat21/protocol";
import { admit, maySubscribe } from "./admission.ts";
import { Budgets } from "./budgets.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Engine } from "./engine.ts";
import { Exclusive } from "./exclusive.ts";
import { InboundRouter } from "./inbound-router.ts";
import type { Kind } from "./kinds/kind.ts";
import { Kinds } from "./kinds/kinds.ts";
import { LiveSessions } from "./live-sessions.ts";
import { conversationOperations } from "./operations/conversations.ts";
import { groupOperations } from "./operations/groups.ts";
import { messageOperations } from "./operations/messages.ts";
import { presenceOperations } from "./operations/presence.ts";
import { syncOperations } from "./operations/sync.ts";
import { nameless, type OperationsContext } from "./operations-context.ts";
import type { Clock } from "./ports/clock.ts";
import type { Contacts } from "./ports/contacts.ts";
import type { Edge } from "./ports/edge.ts";
import type { EventSink } from "./ports/event-sink.ts";
import type { TokenVerifier } from "./ports/identity.ts";
import type { Invalidations } from "./ports/invalidations.ts";
import type { LeaseStore } from "./ports/lease-store.ts";
import type { RedeliveryLog } from "./ports/redelivery-log.ts";
import type { Store } from "./ports/store.ts";
import type { Log, Metrics } from "./ports/telemetry.ts";
import { PresenceKeeper } from "./presence-keeper.ts";
import type { Rate } from "./rate-limiter.ts";
import { StateCache } from "./state-cache.ts";
import { Sweeps } from "./sweeps.ts";
import { Writer } from "./writer.ts";

/** The ports and settings of an engine. */
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
  /** The kinds of events, by their names on the wire. @default all of this version (`eventRules`) */
  readonly kinds?: Readonly<Record<string, Kind>>;
  /** Apps that are served. @default any */
  readonly apps?: readonly string[];
  /** Keeps presence and tells it, to people and to sinks. Without it everybody looks as if never seen. @default true */
  readonly presence?: boolean;
  /**
   * Milliseconds between the end of a user's last connection and the moment when others hear of it. A client that is
   * back by then was never away. 0-60,000. @default 5000
   */
  readonly presenceGraceMs?: number | undefined;
  /**
   * How the ids begin of groups that a first message makes, with its sender as their only member, as in the original's
   * support chats. Every other unknown id is refused (`not_found`): it may be mistyped. @default ["support-group-"]
   */
  readonly groupsFromMessages?: readonly string[] | undefined;
  /** Whether what one user may cause is limited; `system` and admins are exempt. See `Budgets`. @default true */
  readonly rateLimits?: boolean | undefined;
  /** Whether the disk has no room for more messages and groups: they get `storage_full`. @default never */
  readonly isStorageFull?: () => boolean;
  /** Messages of one user. @default the one of `budgets` */
  readonly messageRate?: Rate | undefined;
  /** Items of one commit, at most. @default 1000 */
  readonly batchItems?: number;
  /** Conversations held in memory between writes. @default 20000 */
  readonly cachedConversations?: number;
  /**
   * Bytes of memory that these conversations take together, about: a pair of people takes 2 KB, a group of 10,000 members
   * 4 MB. One batch may hold as much once more. @default 64 MiB
   */
  readonly cachedConversationBytes?: number;
  /** Other processes write to the same store. @default this process is the only one */
  readonly shared?: SharedStoreOptions;
}

/** Further ports of an engine that shares its store with other engines. */
export interface SharedStoreOptions {
  /** Names this process among the holders of leases; 1-64 characters. */
  readonly holder: string;
  readonly leases: LeaseStore;
  readonly invalidations: Invalidations;
  readonly redeliveries: RedeliveryLog;
}

/** Binds the rules to their ports; `pipeline.ts` names the steps of a message. Nothing runs before `start`. */
export function createEngine(options: EngineOptions): Engine {
  const { store, edge, tokens, clock, log, metrics, apps, shared } = options;
  const { groupsFromMessages = ["support-group-"], isStorageFull = () => false } = options;
  const sinks = options.sinks ?? [];
  const kinds = new Kinds(options.kinds);
  const isShared = shared !== undefined;
  const redeliveries = shared?.redeliveries;
  let isStoreHealthy = true;
  let isDraining = false;

  const budgets = new Budgets({
    enabled: options.rateLimits ?? true,
    messageRate: options.messageRate,
    // Behind a broker that has the connections, a publish that waits would hold up those of other users.
    slows: () => edge.probe === undefined,
    clock,
    metrics,
  });
  const exclusive = new Exclusive(shared);
  const states = new StateCache({
    conversations: store.conversations,
    maxConversations: options.cachedConversations ?? 20_000,
    maxBytes: options.cachedConversationBytes ?? 64 * 1024 * 1024,
    isShared,
  });
  shared?.invalidations.onReceived(({ app, conversation }) => states.forget(app, conversation));
  const dispatcher = new Dispatcher({ store, edge, sinks, kinds, states, clock, log, metrics, redeliveries });
  const writer = new Writer({
    store,
    kinds,
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
      if (isStoreHealthy === healthy) return;
      isStoreHealthy = healthy;
      edge.setPaused(!healthy);
    },
  });
  const context: OperationsContext = {
    store,
    edge,
    sinks,
    kinds,
    states,
    writer,
    dispatcher,
    clock,
    contacts: options.contacts ?? { lookup: async (_app, users) => users.map(nameless) },
    budgets,
    newId: options.newId,
    metrics,
    invalidations: shared?.invalidations ?? { send: () => {} },
    mayBegin: (group) => groupsFromMessages.some((beginning) => group.startsWith(beginning)),
    requireRoom: () => {
      if (isStorageFull()) throw new ChatError("storage_full");
    },
    requireService: (app) => {
      if (isDraining) throw new ChatError("shutting_down");
      if (apps !== undefined && !apps.includes(app))
        throw new ChatError("forbidden", "this app is not served here");
    },
  };
  const sessions = new LiveSessions();
  const isPresenceEnabled = options.presence ?? true;
  const presenceOf = presenceOperations(context, isPresenceEnabled);
  const presence = new PresenceKeeper(context, sessions, {
    enabled: isPresenceEnabled,
    graceMs: options.presenceGraceMs,
    run: (what, work) => sweeps.run(what, work),
  });
  const router = new InboundRouter(context, presence, presenceOf, sessions);
  const sweeps = new Sweeps({
    clock,
    edge,
    log,
    dispatcher,
    writer,
    presence,
    sessions,
    exclusive,
    isShared,
    isStoreHealthy: () => isStoreHealthy,
  });

  return {
    epoch: store.epoch,
    conversations: conversationOperations(context),
    groups: groupOperations(context),
    messages: messageOperations(context),
    presence: presenceOf,
    sync: syncOperations(context),

    async start() {
      await presence.start();
      await sweeps.start();
    },

    async authenticate(attempt) {
      try {
        if (isDraining) throw new ChatError("shutting_down");
        return await admit(attempt, { tokens, apps });
      } catch (thrown) {
        throw ChatError.fromUnknown(thrown);
      }
    },

    async renew(session, attempt) {
      try {
        if (isDraining) throw new ChatError("shutting_down");
        const { app, user, ...renewed } = await admit(attempt, { tokens, apps });
        if (app !== session.app || user !== session.user)
          throw new ChatError("forbidden", "a session is renewed with a token of its own app and user");
        const { admin, expiresAt, family, issuedAt, scopedTo, tokenId } = renewed;
        // What is subscribed stays, so a narrower token would leave it open.
        if (scopedTo !== undefined)
          throw new ChatError("forbidden", "a token with narrower scopes needs a connection of its own");
        if (tokens.isRevoked?.({ app, user, ...renewed })) throw new ChatError("token_revoked");
        sessions.renew(session, { admin, expiresAt, family, issuedAt, scopedTo, tokenId }, clock);
      } catch (thrown) {
        throw ChatError.fromUnknown(thrown);
      }
    },

    isAdmitted: (session) => tokens.isRevoked?.(session) !== true,

    handleOpen(session) {
      sessions.add(session, clock);
    },

    handleClose(session) {
      if (sessions.remove(session)) presence.departed(session);
    },

    canSubscribe: maySubscribe,

    handlePublish: (session, inbound) => router.handle(session, inbound),

    handleTakeover: () => sweeps.takeOver(),

    handleGone: (clientId) => presence.gone(clientId),

    handleMoved: (client) => presence.moved(client),

    handleRevocation: (where) => edge.disconnect(where, "revoked"),

    health() {
      if (isDraining) return { ready: false, reason: "shutting_down" };
      if (!isStoreHealthy) return { ready: false, reason: "store_unavailable" };
      // Reading goes on, so clients are still sent here.
      return { ready: true, reason: isStorageFull() ? "storage_full" : "ok" };
    },

    async drain() {
      isDraining = true;
      budgets.stop();
      presence.stop();
      sweeps.stop();
      await writer.drained();
      await dispatcher.drained();
      await sweeps.drained();
    },
  };
}

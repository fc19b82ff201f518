import type { DatabaseSync } from "node:sqlite";
import type { RevocationRecord, ServerKeyRecord } from "@chat21/auth";
import type { EventRecord, MemberPatch, MemberState, PresenceLease } from "@chat21/engine";
import type { WebhookBounds, WebhookDelivery, WebhookLease, WebhookOutcome } from "@chat21/events";
import type { InstanceRecord, UserRecord } from "@chat21/people";
import type { EncodedRun, EncodedRunResult } from "../run-codec.ts";
import type { WorkerSetup } from "../worker-protocol.ts";
import { createAccounts } from "./accounts.ts";
import { createMessageAmendments, type MessageAmendments } from "./amend-messages.ts";
import { type ChangeNumbers, createChangeNumbers } from "./change-numbers.ts";
import { createCommitRuns } from "./commit-runs.ts";
import { busyTimeoutMs } from "./connection.ts";
import { ConversationEnds } from "./conversation-ends.ts";
import { createConversationRows } from "./conversation-rows.ts";
import { createDispatchRows, type DispatchRows, type EncodedMarks } from "./dispatch-rows.ts";
import { createEventNames } from "./event-codes.ts";
import { createEventRows } from "./event-rows.ts";
import { createPatchMembers } from "./member-rows.ts";
import { createPeopleWrites } from "./people-writes.ts";
import { createPresenceWrites, type PresenceWrites } from "./presence-rows.ts";
import { createWebhookWrites, type WebhookWrites } from "./webhook-writes.ts";

/** Everything that changes the database; each runs inside a transaction that others share. */
export interface WriterMethods {
  commit(runs: readonly EncodedRun[]): EncodedRunResult[];
  saveMarks(): void;
  replaceOverlays: MessageAmendments["replace"];
  rewriteEvents: MessageAmendments["rewrite"];
  patch(patches: readonly MemberPatch[]): (MemberState | null)[];
  putUser(user: UserRecord): void;
  deleteUser(app: string, id: string): boolean;
  eraseUser(app: string, id: string): { profile: boolean; instances: number };
  addRevocation(revocation: RevocationRecord): void;
  pruneRevocations(now: number): void;
  addServerKey(key: ServerKeyRecord): void;
  markServerKeyUsed(hash: string, at: number): void;
  removeServerKey(app: string, id: string): boolean;
  putInstance(instance: InstanceRecord): void;
  renewPresence(leases: readonly PresenceLease[], now: number): boolean[];
  boundPresence(latest: number): void;
  endPresence(app: string, user: string, clientId: string, now: number): { offline: boolean };
  expirePresence(now: number): ReturnType<PresenceWrites["expire"]>;
  enqueueWebhooks(deliveries: readonly WebhookDelivery[]): void;
  leaseWebhooks(lease: WebhookLease): ReturnType<WebhookWrites["lease"]>;
  settleWebhooks(outcomes: readonly WebhookOutcome[]): void;
  releaseWebhooks(): void;
  replayWebhooks(ids: readonly string[], now: number): number;
  replayDeadWebhooks(endpoint: string, now: number): number;
  boundWebhooks(endpoint: string, bounds: WebhookBounds): number;
  hastenWebhooks(endpoint: string, now: number): number;
  giveUpWebhooks(endpoint: string, queuedBefore: number, now: number, error: string): number;
  skipWebhooks(ids: readonly string[], now: number, error: string): number;
  removeWebhooks(ids: readonly string[]): number;
  pruneWebhooks(state: "delivered" | "dead", settledBefore: number, limit: number): number;
}

/** Methods that run between transactions. */
export interface WriterSideMethods {
  undispatched(...args: Parameters<DispatchRows["undispatched"]>): EventRecord[];
  /** Carries over the pages that a checkpoint of the other worker left, so that the log may start anew. */
  finishCheckpoint(): void;
  /**
   * Carries everything over and empties the log's file: no erased content is left in it. `false`: a reader needs the
   * log.
   */
  truncateLog(): boolean;
}

/** Notes: never answered, no transaction of their own. */
export interface WriterNotes {
  markDispatched(marks: EncodedMarks): void;
}

/** The writer's state in memory, and what it offers. */
export interface Writer {
  readonly methods: WriterMethods;
  readonly side: WriterSideMethods;
  readonly notes: WriterNotes;
  readonly dispatch: DispatchRows;
  /** Forgets changes that a rollback may have undone. */
  reset(): void;
}

function truncateLog(database: DatabaseSync): boolean {
  // Commits wait meanwhile: it is better to try again later than to wait for a reader.
  database.exec("PRAGMA busy_timeout = 20");
  const row = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  return row?.["busy"] === 0;
}

/** Puts the writer's parts together over one connection. */
export function createWriter(database: DatabaseSync, setup: Pick<WorkerSetup, "kinds" | "ends">): Writer {
  const accounts = createAccounts(database);
  const conversations = createConversationRows(database);
  const names = createEventNames(setup.kinds);
  const rows = createEventRows(names);
  const ends = new ConversationEnds(setup.ends);
  ends.reserve(Number(database.prepare("SELECT max(id) AS last FROM conversation").get()?.["last"] ?? 0));
  const dispatch = createDispatchRows(database, conversations, rows, () => changes.last());
  const changes: ChangeNumbers = createChangeNumbers(database, dispatch);
  const amendments = createMessageAmendments({ database, conversations, changes, ends });
  const people = createPeopleWrites(database);
  const presence = createPresenceWrites(database, accounts);
  const webhooks = createWebhookWrites(database);
  return {
    methods: {
      commit: createCommitRuns({
        ...{ database, accounts, conversations, names, rows },
        ...{ changes, amendments, ends },
      }),
      saveMarks: () => {},
      replaceOverlays: amendments.replace,
      rewriteEvents: amendments.rewrite,
      patch: createPatchMembers({ database, accounts, conversations, changes }),
      ...people,
      renewPresence: presence.renew,
      boundPresence: presence.bound,
      endPresence: presence.end,
      expirePresence: presence.expire,
      enqueueWebhooks: webhooks.enqueue,
      leaseWebhooks: webhooks.lease,
      settleWebhooks: webhooks.settle,
      releaseWebhooks: webhooks.release,
      replayWebhooks: webhooks.replayIds,
      replayDeadWebhooks: webhooks.replayDead,
      boundWebhooks: webhooks.bound,
      hastenWebhooks: webhooks.hasten,
      giveUpWebhooks: webhooks.giveUp,
      skipWebhooks: webhooks.skip,
      removeWebhooks: webhooks.remove,
      pruneWebhooks: webhooks.prune,
    },
    side: {
      undispatched: dispatch.undispatched,
      finishCheckpoint: () => database.exec("PRAGMA wal_checkpoint(PASSIVE)"),
      truncateLog: () => truncateLog(database),
    },
    notes: { markDispatched: dispatch.mark },
    dispatch,
    reset() {
      accounts.reset();
      conversations.reset();
      dispatch.reset();
      changes.reset();
    },
  };
}

import { randomUUID } from "node:crypto";
import type { PresenceLease, PresenceStore } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { mongo } from "mongoose";
import { chunksOf } from "./chunks-of.ts";
import type { Database } from "./database.ts";
import type { AccountKey, PresenceDocument } from "./documents.ts";
import { accountName } from "./key-names.ts";
import { isDuplicate } from "./mongo-failure.ts";

/** A person's leases, and when the person was last seen: the part of the document that changes are computed from. */
type Leases = Pick<PresenceDocument, "lastSeen" | "leases">;

/** `null`: nothing changes. */
type Change<T> = (
  before: Leases,
  account: AccountKey,
) => { readonly after: Leases | null; readonly answer: T };

const none: Leases = { leases: [], lastSeen: 0 };

/** People that are looked up or written in one round trip. */
const pageSize = 500;

/**
 * Leases of one client id that are told, at most. A client id is one connection, but others may have left leases under
 * it.
 */
const maxPerClient = 1_000;

/** How often a change that lost against another is computed again. */
const maxAttempts = 20;

const isOnline = ({ leases }: Leases, now: number) => leases.some(({ expiresAt }) => expiresAt > now);

function leasesOf({ _id: { app, user }, leases }: PresenceDocument): PresenceLease[] {
  return leases.map(({ clientId, expiresAt }) => ({ app, user, clientId, expiresAt }));
}

function renewed(before: Leases, own: readonly PresenceLease[], now: number) {
  let after = before;
  const cameOnline = own.map(({ clientId, expiresAt }) => {
    const came = !isOnline(after, now);
    const known = after.leases.find((lease) => lease.clientId === clientId);
    const others = after.leases.filter((lease) => lease !== known);
    const lease = { clientId, expiresAt: Math.max(expiresAt, known?.expiresAt ?? 0) };
    after = { ...after, leases: [...others, lease] };
    return came;
  });
  return { after, answer: cameOnline };
}

function ended(before: Leases, clientId: string, now: number) {
  const leases = before.leases.filter((lease) => lease.clientId !== clientId);
  if (leases.length === before.leases.length) return { after: null, answer: { offline: false } };
  if (isOnline({ ...before, leases }, now)) {
    return { after: { ...before, leases }, answer: { offline: false } };
  }
  return { after: { leases: [], lastSeen: now }, answer: { offline: true } };
}

function expired(before: Leases, now: number) {
  const over = before.leases.filter(({ expiresAt }) => expiresAt <= now);
  if (over.length === 0) return { after: null, answer: false };
  const leases = before.leases.filter(({ expiresAt }) => expiresAt > now);
  if (leases.length > 0) return { after: { ...before, leases }, answer: false };
  const seenBefore = before.lastSeen > now ? 0 : before.lastSeen;
  const lastSeen = Math.max(seenBefore, ...over.map(({ expiresAt }) => expiresAt));
  return { after: { leases, lastSeen }, answer: true };
}

function bounded(before: Leases, latest: number) {
  const leases = before.leases.map((lease) => ({ ...lease, expiresAt: Math.min(lease.expiresAt, latest) }));
  const isBounded = before.leases.every(({ expiresAt }) => expiresAt <= latest);
  return { after: isBounded ? null : { ...before, leases }, answer: undefined };
}

function toWrite(
  account: AccountKey,
  { leases, lastSeen }: Leases,
  before: PresenceDocument | undefined,
  version: string,
): mongo.AnyBulkWriteOperation<PresenceDocument> {
  const ends = leases.map(({ expiresAt }) => expiresAt);
  const earliest = ends.length === 0 ? {} : { expiresAt: Math.min(...ends) };
  const replacement = { leases, lastSeen, version, ...earliest };
  const isNew = before === undefined;
  // A new document is an upsert, which the key refuses when another write was faster.
  const filter = { _id: account, version: isNew ? version : before.version };
  return { replaceOne: { filter, replacement, upsert: isNew } };
}

function createChanges({ collections, queryTimeoutMs: maxTimeMS }: Database) {
  const { presence } = collections;

  async function find(accounts: readonly AccountKey[]): Promise<Map<string, PresenceDocument>> {
    const found = await presence.find({ _id: { $in: accounts } }, { maxTimeMS }).toArray();
    return new Map(found.map((document) => [accountName(document._id), document]));
  }

  async function write(operations: mongo.AnyBulkWriteOperation<PresenceDocument>[]): Promise<boolean> {
    try {
      const { matchedCount, upsertedCount } = await presence.bulkWrite(operations, { ordered: false });
      return matchedCount + upsertedCount === operations.length;
    } catch (thrown) {
      if (isDuplicate(thrown)) return false;
      throw thrown;
    }
  }

  /**
   * Computes the new state of each person and writes it over the version that it was computed from; a writer that lost
   * computes again.
   */
  async function changePage<T>(accounts: readonly AccountKey[], change: Change<T>): Promise<Map<string, T>> {
    const answers = new Map<string, T>();
    let waiting = accounts;
    for (let attempt = 0; waiting.length > 0; attempt += 1) {
      if (attempt === maxAttempts) throw new ChatError("store_unavailable", "presence changes too fast");
      const before = await find(waiting);
      const version = randomUUID();
      const changed: AccountKey[] = [];
      const operations: mongo.AnyBulkWriteOperation<PresenceDocument>[] = [];
      for (const account of waiting) {
        const known = before.get(accountName(account));
        const { after, answer } = change(known ?? none, account);
        answers.set(accountName(account), answer);
        if (after === null) continue;
        operations.push(toWrite(account, after, known, version));
        changed.push(account);
      }
      if (operations.length === 0 || (await write(operations))) return answers;
      const written = await find(changed);
      waiting = changed.filter((account) => written.get(accountName(account))?.version !== version);
    }
    return answers;
  }

  return { find, changePage };
}

/** Leases and when people were last seen. */
export function createPresence(database: Database): PresenceStore {
  const { presence } = database.collections;
  const { find, changePage } = createChanges(database);

  async function renew(leases: readonly PresenceLease[], now: number): Promise<boolean[]> {
    const own = Map.groupBy(leases, accountName);
    const accounts = [...own.values()].flatMap(([first]) =>
      first === undefined ? [] : [{ app: first.app, user: first.user }],
    );
    const cameOnline = new Map<string, boolean[]>();
    for (const page of chunksOf(accounts, pageSize)) {
      const answers = await changePage(page, (before, account) =>
        renewed(before, own.get(accountName(account)) ?? [], now),
      );
      for (const [name, answer] of answers) cameOnline.set(name, answer);
    }
    return leases.map((lease) => cameOnline.get(accountName(lease))?.shift() ?? false);
  }

  async function expire(now: number): Promise<AccountKey[]> {
    const gone: AccountKey[] = [];
    for (;;) {
      const due = await presence
        .find(
          { expiresAt: { $lte: now } },
          { projection: { _id: 1 }, maxTimeMS: database.queryTimeoutMs, hint: "expiry" },
        )
        .limit(pageSize)
        .toArray();
      if (due.length === 0) return gone;
      const accounts = due.map(({ _id }) => _id);
      const offline = await changePage(accounts, (before) => expired(before, now));
      gone.push(...accounts.filter((account) => offline.get(accountName(account)) === true));
    }
  }

  /** The index holds each person's earliest lease: later ones have their turn when they are the earliest. */
  async function bound(latest: number): Promise<void> {
    for (;;) {
      const ahead = await presence
        .find(
          { expiresAt: { $gt: latest } },
          { projection: { _id: 1 }, maxTimeMS: database.queryTimeoutMs, hint: "expiry" },
        )
        .limit(pageSize)
        .toArray();
      if (ahead.length === 0) return;
      const accounts = ahead.map(({ _id }) => _id);
      await changePage(accounts, (before) => bounded(before, latest));
    }
  }

  /** The index holds each person's earliest lease: the first `limit` leases belong to the first `limit` people. */
  async function expiring(before: number, limit: number): Promise<PresenceLease[]> {
    const found = await presence
      .find({ expiresAt: { $lt: before } }, { maxTimeMS: database.queryTimeoutMs, hint: "expiry" })
      .sort({ expiresAt: 1 })
      .limit(limit)
      .toArray();
    return found
      .flatMap(leasesOf)
      .filter(({ expiresAt }) => expiresAt < before)
      .sort((a, b) => a.expiresAt - b.expiresAt)
      .slice(0, limit);
  }

  async function ofClient(clientId: string): Promise<PresenceLease[]> {
    const found = await presence
      .find({ "leases.clientId": clientId }, { maxTimeMS: database.queryTimeoutMs, hint: "client" })
      .limit(maxPerClient)
      .toArray();
    return found.flatMap(leasesOf).filter((lease) => lease.clientId === clientId);
  }

  async function get(app: string, users: readonly string[], now: number) {
    const answers: { online: boolean; lastSeen: number }[] = [];
    for (const page of chunksOf(users, pageSize)) {
      const found = await find(page.map((user) => ({ app, user })));
      for (const user of page) {
        const known = found.get(accountName({ app, user })) ?? none;
        const ends = known.leases.map(({ expiresAt }) => expiresAt);
        const online = isOnline(known, now);
        const seen = Math.max(known.lastSeen, ...ends);
        answers.push({ online, lastSeen: online ? now : Math.min(now, seen) });
      }
    }
    return answers;
  }

  return {
    renew: (leases, now) => database.call(() => renew(leases, now)),
    end: (app, user, clientId, now) =>
      database.call(async () => {
        const account = { app, user };
        const answers = await changePage([account], (before) => ended(before, clientId, now));
        return answers.get(accountName(account)) ?? { offline: false };
      }),
    bound: (latest) => database.call(() => bound(latest)),
    expire: (now) => database.call(() => expire(now)),
    expiring: (before, limit) => database.call(() => expiring(before, limit)),
    ofClient: (clientId) => database.call(() => ofClient(clientId)),
    get: (app, users, now) => database.call(() => get(app, users, now)),
  };
}

import type { mongo } from "mongoose";
import { tieOf, type WalkPlace } from "./change-cursor.ts";
import type { AccountKey } from "./documents.ts";
import type { Ticks } from "./logical-time.ts";
import type { Memberships } from "./memberships.ts";
import { maxRecent, type Stamped } from "./stamps.ts";

type Session = mongo.ClientSession;

/** Orders what changed at the same time. */
function compareTies(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The one that changed last first. */
function inOrder(found: readonly Stamped[]): Stamped[] {
  const newest = new Map<string, Ticks>();
  for (const { conversation, changedAt } of found) {
    newest.set(conversation, Math.max(changedAt, newest.get(conversation) ?? 0));
  }
  const times = Map.groupBy(newest, ([, changedAt]) => changedAt);
  const inTime = [...times].sort(([a], [b]) => b - a);
  return inTime.flatMap(([changedAt, tied]) => {
    if (tied.length === 1) return tied.map(([conversation]) => ({ conversation, changedAt }));
    const byTie = tied.map(([conversation]) => ({ conversation, tie: tieOf(conversation) }));
    byTie.sort((a, b) => compareTies(a.tie, b.tie));
    return byTie.map(({ conversation }) => ({ conversation, changedAt }));
  });
}

/** Whether a walk that has come to `place` has the conversation still before it. */
export function isBelow({ changedAt, conversation }: Stamped, place: WalkPlace): boolean {
  if (changedAt !== place.changedAt) return changedAt < place.changedAt;
  return compareTies(tieOf(conversation), place.tie) > 0;
}

/** Which of a user's conversations may have changed. */
export function createChangeCandidates(memberships: Memberships) {
  /** Starts from the recent changes where they are few, else from the user's conversations. */
  async function find(account: AccountKey, since: Ticks, now: Ticks, session: Session): Promise<Stamped[]> {
    const { app } = account;
    const isAll = since <= 0;
    const own = await memberships.places(account, isAll ? null : since, session);
    if (isAll) {
      const names = own.map(({ conversation }) => conversation);
      return [...own, ...(await memberships.stampedOf(app, names, { since, now }, session))];
    }
    const [recent, marked] = await Promise.all([
      memberships.recent(app, since, session),
      memberships.marked(app, since, session),
    ]);
    if (recent.length > maxRecent) {
      const names = await memberships.names(account, session);
      const stamped = await memberships.stampedOf(app, names, { since, now }, session);
      return [...own, ...stamped, ...(await onlyMarked(account, marked, stamped, now, session))];
    }
    const names = recent.map(({ conversation }) => conversation);
    const mine = await memberships.mine(account, names, session);
    const stamped = recent.filter(({ conversation }) => mine.has(conversation));
    return [...own, ...stamped, ...(await onlyMarked(account, marked, recent, now, session))];
  }

  /** Conversations with commits so recent that no document tells of them yet. */
  async function onlyMarked(
    account: AccountKey,
    marked: ReadonlySet<string>,
    stamped: readonly Stamped[],
    now: Ticks,
    session: Session,
  ): Promise<Stamped[]> {
    const spoken = new Set(stamped.map(({ conversation }) => conversation));
    const names = [...marked].filter((conversation) => !spoken.has(conversation));
    const mine = await memberships.mine(account, names, session);
    return [...mine].map((conversation) => ({ conversation, changedAt: now }));
  }

  /** Behind a time, the one that changed last first; all there are when the time is 0 or less. */
  return async function findCandidates(account: AccountKey, since: Ticks, now: Ticks, session: Session) {
    return inOrder(await find(account, since, now, session));
  };
}

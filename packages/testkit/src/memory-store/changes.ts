import type { ChangedConversation, ChangeQuery, Changes, ConversationView } from "@chat21/engine";
import { isVisible, sees } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import type { DiskConversation, DiskMember, MemoryDisk } from "./disk.ts";

/**
 * A walk through the changes behind `since`, from the newest one downwards, in pages. A conversation that changes
 * during the walk leaves its place before the walk reaches it. Therefore a walk of several pages is followed by another
 * one behind `upTo`, which gives events back to `base`, until a walk fits into one page.
 */
interface Walk {
  readonly since: number;
  /** Events behind this one are given, at or below `since`. */
  readonly base: number;
  /** The newest change when the walk began. */
  readonly upTo: number;
  /** Only changes below this one remain. */
  readonly below: number;
}

/** `since`; with `base`, where another walk begins; with `upTo` and `below`, inside a walk. */
const cursorForm = /^(\d{1,15})(?:\.(\d{1,15})(?:\.(\d{1,15})\.(\d{1,15}))?)?$/;

function parseCursor(cursor: string | undefined, last: number): Walk {
  const found = cursorForm.exec(cursor ?? "0");
  const [since = Number.NaN, base = since, upTo = last, below = last + 1] = (found?.slice(1) ?? []).map(
    (text) => (text === undefined ? undefined : Number(text)),
  );
  if (base <= since && since <= upTo && upTo <= last && below <= last + 1)
    return { since, base, upTo, below };
  throw new ChatError("invalid_cursor", "the cursor is not one of this store");
}

/** Number of the member's newest change in the conversation; 0 without one. */
function changeOf(found: DiskConversation, member: DiskMember): number {
  const last = found.events.findLastIndex(({ seq }) => sees(member.intervals, seq));
  return Math.max(member.changed, found.changeNumbers[last] ?? 0);
}

function charactersOf(
  view: ConversationView,
  events: ChangedConversation["events"],
  { eventOverhead = 0, conversationOverhead = 0 }: ChangeQuery,
): number {
  const own = conversationOverhead + (view.last?.body.length ?? 0);
  return events.reduce((sum, { body }) => sum + body.length + eventOverhead, own);
}

/** `null` when it does not fit into `characters`; the first one of a page always fits. */
function toChanged(
  found: DiskConversation,
  member: DiskMember,
  view: ConversationView,
  query: ChangeQuery,
  { base, characters, isFirst }: { base: number; characters: number; isFirst: boolean },
): ChangedConversation | null {
  // Numbers that come into sight are new to the member, however old they are.
  const known = member.widened > base ? 0 : found.changeNumbers.filter((number) => number <= base).length;
  const visible = found.events.slice(known).filter((event) => isVisible(event, member));
  let events = query.eventsEach === 0 ? [] : visible.slice(-query.eventsEach);
  if (charactersOf(view, events, query) > characters && !isFirst) return null;
  while (events.length > 1 && charactersOf(view, events, query) > characters) events = events.slice(1);
  const behind = events.length < visible.length;
  const from = behind ? (events[0]?.seq ?? view.head + 1) : Math.min(known, view.head) + 1;
  return { view, events, from, behind };
}

/** `ConversationStore.changes`. */
export function readChanges(
  disk: MemoryDisk,
  query: ChangeQuery,
  conversations: readonly DiskConversation[],
  toView: (found: DiskConversation, member: DiskMember) => ConversationView,
): Changes {
  const { user, limit } = query;
  const last = disk.lastChange;
  const { since, base, upTo, below } = parseCursor(query.cursor, last);
  const changed = conversations
    .map((found) => ({ found, member: found.members.get(user) as DiskMember }))
    .map((one) => ({ ...one, change: changeOf(one.found, one.member) }))
    .filter(({ change }) => change > since)
    .sort((a, b) => b.change - a.change);
  const left = changed.filter(({ change }) => change < below);
  const page: ChangedConversation[] = [];
  let characters = query.characters;
  for (const { found, member } of left.slice(0, limit)) {
    const limits = { base, characters, isFirst: page.length === 0 };
    const one = toChanged(found, member, toView(found, member), query, limits);
    if (one === null) break;
    characters -= charactersOf(one.view, one.events, query);
    page.push(one);
  }
  if (page.length < left.length) {
    const reached = left[page.length - 1]?.change ?? below;
    return { conversations: page, cursor: `${since}.${base}.${upTo}.${reached}`, more: true };
  }
  const escaped = below <= last && changed.some(({ change }) => change > upTo);
  if (escaped) return { conversations: page, cursor: `${upTo}.${base}`, more: true };
  return { conversations: page, cursor: String(last), more: false };
}

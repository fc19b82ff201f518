import type {
  ConversationQuery,
  ConversationRecord,
  ConversationStore,
  ConversationView,
  ListBound,
  MemberPatch,
  MemberState,
} from "@chat21/engine";
import {
  countUnread,
  isArchived,
  isBehind,
  isInFront,
  isOnList,
  lastListed,
  visibleHead,
} from "@chat21/engine";
import { compareListed, directConversationId } from "@chat21/protocol";
import { readChanges } from "./changes.ts";
import { type DiskConversation, type DiskMember, keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";

function lastTimestampOf(found: DiskConversation): number {
  return found.events.at(-1)?.timestamp ?? 0;
}

function toRecord(found: DiskConversation): ConversationRecord {
  const { app, conversation, kind, transient, group } = found;
  const members = [...found.members.values()].map(({ user, role, intervals }) => ({ user, role, intervals }));
  const archived = [...found.members.values()].filter(({ state }) => state.archivedAt !== null);
  return {
    app,
    conversation,
    kind,
    head: found.events.length,
    lastTimestamp: lastTimestampOf(found),
    transient,
    group,
    members,
    archivedBy: archived.map(({ user }) => user),
  };
}

/** A conversation as one of its members sees it. */
function toView(found: DiskConversation, member: DiskMember): ConversationView {
  const { app, conversation, kind, events } = found;
  const others = [...found.members.values()].filter(({ user }) => user !== member.user);
  const counterpart = kind === "direct" ? others[0]?.state : undefined;
  return {
    app,
    conversation,
    kind,
    head: visibleHead(member.intervals, events.length),
    state: member.state,
    last: lastListed(events, member),
    unread: countUnread(events, member, member.state.read),
    counterpart:
      counterpart === undefined ? null : { delivered: counterpart.delivered, read: counterpart.read },
  };
}

/** A view's place in the list; `null` when it is on no list. */
function placeOf(view: ConversationView): Required<ListBound> | null {
  if (view.last === null || !isOnList(view)) return null;
  return { timestamp: view.last.timestamp, conversation: view.conversation };
}

function listViews(disk: MemoryDisk, query: ConversationQuery): ConversationView[] {
  const { app, user, archived, before, after, limit, from = "newest" } = query;
  const listed: { readonly view: ConversationView; readonly place: Required<ListBound> }[] = [];
  for (const found of conversationsOf(disk, app, user)) {
    const view = toView(found, found.members.get(user) as DiskMember);
    const place = placeOf(view);
    if (place === null || (archived !== null && archived !== isArchived(view))) continue;
    if (before !== undefined && !isBehind(place, before)) continue;
    if (after !== undefined && !isInFront(place, after)) continue;
    listed.push({ view, place });
  }
  const views = listed.sort((a, b) => compareListed(a.place, b.place)).map(({ view }) => view);
  return from === "newest" ? views.slice(0, limit) : views.slice(-limit);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Every conversation that the user has ever been in, most recently active first. */
function conversationsOf(disk: MemoryDisk, app: string, user: string): DiskConversation[] {
  return [...disk.conversations.values()]
    .filter((found) => found.app === app && found.members.has(user))
    .sort((a, b) => lastTimestampOf(b) - lastTimestampOf(a) || compareText(a.conversation, b.conversation));
}

/** Every conversation that the user has ever been in, by name, behind `last`. */
function conversationsAfter(disk: MemoryDisk, app: string, user: string, last: string): DiskConversation[] {
  return conversationsOf(disk, app, user)
    .filter(({ conversation }) => conversation > last)
    .sort((a, b) => compareText(a.conversation, b.conversation));
}

function isPresent(member: DiskMember | undefined): boolean {
  const last = member?.intervals.at(-1);
  return last !== undefined && last[1] === null;
}

function patched(state: MemberState, patch: MemberPatch, head: number): MemberState {
  const forward = (now: number, next: number | undefined) => Math.max(now, Math.min(next ?? 0, head));
  const archivedAt = patch.archivedAt === undefined ? state.archivedAt : patch.archivedAt;
  return {
    delivered: forward(state.delivered, patch.delivered),
    read: forward(state.read, patch.read),
    archivedAt: archivedAt === null ? null : Math.min(archivedAt, head),
    markedUnread: patch.markedUnread ?? (patch.read === undefined && state.markedUnread),
    clearedAt: forward(state.clearedAt, patch.clearedAt),
  };
}

function applyPatch(disk: MemoryDisk, patch: MemberPatch): MemberState | null {
  const found = disk.conversations.get(keyOf(patch.app, patch.conversation));
  const member = found?.members.get(patch.user);
  if (found === undefined || member === undefined) return null;
  member.state = patched(member.state, patch, found.events.length);
  disk.lastChange += 1;
  // Both people of a direct conversation see each other's watermarks.
  const watching = found.kind === "direct" ? [...found.members.values()] : [member];
  for (const one of watching) one.changed = disk.lastChange;
  return member.state;
}

/** Conversations and members' places. */
export function createMemoryConversations(disk: MemoryDisk, { write, read }: Gated): ConversationStore {
  const find = (app: string, conversation: string) => disk.conversations.get(keyOf(app, conversation));
  return {
    load: (keys) =>
      read("conversations.load", () =>
        keys.map(({ app, conversation }) => {
          const found = find(app, conversation);
          return found === undefined ? null : toRecord(found);
        }),
      ),
    list: (query) => read("conversations.list", () => listViews(disk, query)),
    changes: (query) =>
      read("conversations.changes", () =>
        readChanges(disk, query, conversationsOf(disk, query.app, query.user), toView),
      ),
    view: (app, conversation, user) =>
      read("conversations.view", () => {
        const found = find(app, conversation);
        const member = found?.members.get(user);
        return found === undefined || member === undefined ? null : toView(found, member);
      }),
    heads: (app, user, limit, after = "") =>
      read("conversations.heads", () =>
        conversationsAfter(disk, app, user, after)
          .slice(0, limit)
          .map(({ conversation, events }) => ({ conversation, head: events.length })),
      ),
    groups: ({ app, limit, after = "", member }) =>
      read("conversations.groups", () =>
        [...disk.conversations.values()]
          .filter((found) => found.app === app && found.group !== null && found.conversation > after)
          .filter(({ members }) => member === undefined || isPresent(members.get(member)))
          .sort((a, b) => compareText(a.conversation, b.conversation))
          .slice(0, limit)
          .flatMap(({ conversation, group, members }) =>
            group === null
              ? []
              : { app, conversation, group, memberCount: [...members.values()].filter(isPresent).length },
          ),
      ),
    patch: (patches) => write("conversations.patch", () => patches.map((patch) => applyPatch(disk, patch))),
    peers: (app, user, limit, after) =>
      read("conversations.peers", () =>
        conversationsAfter(disk, app, user, after === undefined ? "" : directConversationId(user, after))
          .filter(({ kind }) => kind === "direct")
          .flatMap(({ members }) => [...members.keys()].filter((member) => member !== user))
          .slice(0, limit),
      ),
  };
}

import type {
  ConversationQuery,
  ConversationRecord,
  ConversationStore,
  ConversationView,
  MemberPatch,
  MemberState,
} from "@chat21/engine";
import { directConversationId } from "@chat21/protocol";
import { type DiskConversation, type DiskMember, keyOf, type MemoryDisk } from "./disk.ts";
import type { Gated } from "./gate.ts";
import { countUnread, lastListed, lastTimestampOf } from "./visibility.ts";

function toRecord(found: DiskConversation): ConversationRecord {
  const { app, conversation, kind, transient, group } = found;
  const members = [...found.members.values()].map(({ user, role, intervals }) => ({ user, role, intervals }));
  const archived = [...found.members.values()].filter(({ state }) => state.archivedAt !== null);
  const archivedBy = archived.map(({ user }) => user);
  const lastTimestamp = lastTimestampOf(found);
  return {
    app,
    conversation,
    kind,
    head: found.events.length,
    lastTimestamp,
    transient,
    group,
    members,
    archivedBy,
  };
}

function toView(found: DiskConversation, member: DiskMember): ConversationView {
  const others = [...found.members.values()].filter(({ user }) => user !== member.user);
  const counterpart = found.kind === "direct" ? others[0]?.state : undefined;
  return {
    record: toRecord(found),
    state: member.state,
    last: lastListed(found, member),
    unread: countUnread(found, member),
    counterpart:
      counterpart === undefined ? null : { delivered: counterpart.delivered, read: counterpart.read },
  };
}

function isAsked(view: ConversationView, query: ConversationQuery): boolean {
  const { last, state } = view;
  if (last === null || last.seq <= state.clearedAt) return false;
  const archived = state.archivedAt !== null && last.seq <= state.archivedAt;
  if (query.archived !== null && query.archived !== archived) return false;
  if (query.before !== undefined && last.timestamp >= query.before) return false;
  return query.after === undefined || last.timestamp > query.after;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byNewest(a: ConversationView, b: ConversationView): number {
  const newest = (b.last?.timestamp ?? 0) - (a.last?.timestamp ?? 0);
  return newest || compareText(a.record.conversation, b.record.conversation);
}

/** Every conversation the user has ever been in, most recently active first. */
function conversationsOf(disk: MemoryDisk, app: string, user: string): DiskConversation[] {
  return [...disk.conversations.values()]
    .filter((found) => found.app === app && found.members.has(user))
    .sort((a, b) => lastTimestampOf(b) - lastTimestampOf(a) || compareText(a.conversation, b.conversation));
}

/** Every conversation the user has ever been in, by name, behind the one with `peer`. */
function conversationsAfter(disk: MemoryDisk, app: string, user: string, peer: string): DiskConversation[] {
  const last = peer === "" ? "" : directConversationId(user, peer);
  return conversationsOf(disk, app, user)
    .filter(({ conversation }) => conversation > last)
    .sort((a, b) => compareText(a.conversation, b.conversation));
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
    list: (query) =>
      read("conversations.list", () =>
        conversationsOf(disk, query.app, query.user)
          .map((found) => toView(found, found.members.get(query.user) as DiskMember))
          .filter((view) => isAsked(view, query))
          .sort(byNewest)
          .slice(0, query.limit),
      ),
    view: (app, conversation, user) =>
      read("conversations.view", () => {
        const found = find(app, conversation);
        const member = found?.members.get(user);
        return found === undefined || member === undefined ? null : toView(found, member);
      }),
    heads: (app, user, limit) =>
      read("conversations.heads", () =>
        conversationsOf(disk, app, user)
          .slice(0, limit)
          .map(({ conversation, events }) => ({ conversation, head: events.length })),
      ),
    patch: (patches) => write("conversations.patch", () => patches.map((patch) => applyPatch(disk, patch))),
    peers: (app, user, limit, after) =>
      read("conversations.peers", () =>
        (after === undefined ? conversationsOf(disk, app, user) : conversationsAfter(disk, app, user, after))
          .filter(({ kind }) => kind === "direct")
          .flatMap(({ members }) => [...members.keys()].filter((member) => member !== user))
          .slice(0, limit),
      ),
  };
}

import type { ConversationStore, MemberPatch, MemberState } from "@chat21/engine";
import type { mongo } from "mongoose";
import { type ConversationReads, toMemberState } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { ConversationDocument, MemberDocument } from "./documents.ts";
import { conversationName } from "./key-names.ts";
import { stampNow } from "./logical-time.ts";

const memberKeyOf = ({ app, conversation, user }: MemberPatch) => ({ app, conversation, user });
const nameOf = (key: { app: string; conversation: string; user: string }) =>
  `${key.app}\n${key.conversation}\n${key.user}`;

type Facts = Pick<ConversationDocument, "head" | "kind">;

const changed = { $inc: { changes: 1 }, $currentDate: stampNow } as const;

function toUpdate(patch: MemberPatch, head: number): mongo.UpdateFilter<MemberDocument> | null {
  const { delivered, read, clearedAt, archivedAt } = patch;
  const markedUnread = patch.markedUnread ?? (read === undefined ? undefined : false);
  const forward = {
    ...(delivered === undefined ? {} : { delivered: Math.min(delivered, head) }),
    ...(read === undefined ? {} : { read: Math.min(read, head) }),
    ...(clearedAt === undefined ? {} : { clearedAt: Math.min(clearedAt, head) }),
  };
  const set = {
    ...(archivedAt === undefined
      ? {}
      : { archivedAt: archivedAt === null ? null : Math.min(archivedAt, head) }),
    ...(markedUnread === undefined ? {} : { markedUnread }),
  };
  const update = {
    ...(Object.keys(forward).length === 0 ? {} : { $max: forward }),
    ...(Object.keys(set).length === 0 ? {} : { $set: set }),
    ...(archivedAt === undefined ? {} : { $unset: { "listed.returned": "" as const } }),
  };
  return Object.keys(update).length === 0 ? null : { ...update, ...changed };
}

/**
 * Lists look for what was archived by `listed.returned`. Until this write they ask the log, so it does no harm when the
 * process dies before.
 */
function placeArchived(patches: readonly MemberPatch[]): mongo.AnyBulkWriteOperation<MemberDocument>[] {
  return patches
    .filter(({ archivedAt }) => typeof archivedAt === "number")
    .map((patch) => ({
      updateOne: {
        filter: { _id: memberKeyOf(patch), archivedAt: { $gte: 0 }, "listed.seq": { $exists: true } },
        update: [{ $set: { "listed.returned": { $gt: ["$listed.seq", "$archivedAt"] } } }],
      },
    }));
}

/** The user's other devices see the patch; in a direct conversation the other person sees the watermarks. */
function toUpdates(patch: MemberPatch, { head, kind }: Facts): mongo.AnyBulkWriteOperation<MemberDocument>[] {
  const { app, conversation, user, delivered, read } = patch;
  const update = toUpdate(patch, head);
  if (update === null) return [];
  const own = { updateOne: { filter: { _id: memberKeyOf(patch) }, update } };
  if (kind !== "direct" || (delivered === undefined && read === undefined)) return [own];
  const others = { conversation: { app, conversation }, "account.user": { $ne: user } };
  return [own, { updateMany: { filter: others, update: changed, hint: "ordinal" } }];
}

/**
 * Patches in turns: first the first patch of each member, then the second of each, and so on. Mostly there is one turn.
 */
function inTurns(patches: readonly MemberPatch[]): number[][] {
  const turns: number[][] = [];
  const taken = new Map<string, number>();
  for (const [index, patch] of patches.entries()) {
    const name = nameOf(patch);
    const turn = taken.get(name) ?? 0;
    taken.set(name, turn + 1);
    turns[turn] ??= [];
    turns[turn].push(index);
  }
  return turns;
}

/** `ConversationStore.patch`: two round trips for any number of patches of different members. */
export function createPatch(database: Database, reads: ConversationReads): ConversationStore["patch"] {
  const { members } = database.collections;

  async function factsOf(patches: readonly MemberPatch[]): Promise<ReadonlyMap<string, Facts>> {
    const keys = new Map(patches.map((patch) => [conversationName(patch), patch]));
    return database.snapshot((session) => reads.documents([...keys.values()], session));
  }

  async function takeTurn(
    patches: readonly MemberPatch[],
    factsFor: (patch: MemberPatch) => Facts,
  ): Promise<ReadonlyMap<string, MemberState>> {
    const updates = patches.flatMap((patch) => toUpdates(patch, factsFor(patch)));
    if (updates.length > 0) await members.bulkWrite(updates, { ordered: false });
    const places = placeArchived(patches);
    if (places.length > 0) await members.bulkWrite(places, { ordered: false });
    const found = await members
      .find({ _id: { $in: patches.map(memberKeyOf) } }, { maxTimeMS: database.queryTimeoutMs })
      .toArray();
    return new Map(found.map((member) => [nameOf(member._id), toMemberState(member)]));
  }

  return (patches) =>
    database.call(async () => {
      if (patches.length === 0) return [];
      const known = await factsOf(patches);
      const factsFor = ({ app, conversation }: MemberPatch): Facts =>
        known.get(conversationName({ app, conversation })) ?? { head: 0, kind: "group" };
      const states = new Array<MemberState | null>(patches.length).fill(null);
      for (const turn of inTurns(patches)) {
        const taken = turn.map((index) => patches[index] as MemberPatch);
        const after = await takeTurn(taken, factsFor);
        for (const index of turn) states[index] = after.get(nameOf(patches[index] as MemberPatch)) ?? null;
      }
      return states;
    });
}

import type { ConversationStore, MemberPatch, MemberState } from "@chat21/engine";
import type { mongo } from "mongoose";
import { type ConversationReads, toMemberState } from "./conversation-reads.ts";
import type { Database } from "./database.ts";
import type { MemberDocument } from "./documents.ts";

const memberKeyOf = ({ app, conversation, user }: MemberPatch) => ({ app, conversation, user });
const nameOf = (key: { app: string; conversation: string; user: string }) =>
  `${key.app}\n${key.conversation}\n${key.user}`;

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
  };
  return Object.keys(update).length === 0 ? null : update;
}

/** Patches in turns: of each member the first, then of each the second, and so on. Mostly there is one turn. */
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

/** `ConversationStore.patch`: two round trips for patches of different members, however many. */
export function createPatch(database: Database, reads: ConversationReads): ConversationStore["patch"] {
  const { members } = database.collections;

  async function heads(patches: readonly MemberPatch[]): Promise<ReadonlyMap<string, number>> {
    const keys = new Map(patches.map((patch) => [`${patch.app}\n${patch.conversation}`, patch]));
    const found = await database.snapshot((session) => reads.documents([...keys.values()], session));
    return new Map([...found].map(([name, { head }]) => [name, head]));
  }

  async function takeTurn(
    patches: readonly MemberPatch[],
    headOf: (patch: MemberPatch) => number,
  ): Promise<ReadonlyMap<string, MemberState>> {
    const updates = patches.flatMap((patch) => {
      const update = toUpdate(patch, headOf(patch));
      return update === null ? [] : [{ updateOne: { filter: { _id: memberKeyOf(patch) }, update } }];
    });
    if (updates.length > 0) await members.bulkWrite(updates, { ordered: false });
    const found = await members
      .find({ _id: { $in: patches.map(memberKeyOf) } }, { maxTimeMS: database.queryTimeoutMs })
      .toArray();
    return new Map(found.map((member) => [nameOf(member._id), toMemberState(member)]));
  }

  return (patches) =>
    database.call(async () => {
      if (patches.length === 0) return [];
      const known = await heads(patches);
      const headOf = ({ app, conversation }: MemberPatch) => known.get(`${app}\n${conversation}`) ?? 0;
      const states = new Array<MemberState | null>(patches.length).fill(null);
      for (const turn of inTurns(patches)) {
        const taken = turn.map((index) => patches[index] as MemberPatch);
        const after = await takeTurn(taken, headOf);
        for (const index of turn) states[index] = after.get(nameOf(patches[index] as MemberPatch)) ?? null;
      }
      return states;
    });
}

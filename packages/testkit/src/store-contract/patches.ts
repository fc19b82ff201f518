import type { MemberPatch } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `ConversationStore.patch`. */
export function describePatches(world: StoreWorld): void {
  const fresh = { delivered: 0, read: 0, archivedAt: null, markedUnread: false, clearedAt: 0 };

  /** Applies patches to bob's place in a conversation with ten events. */
  async function patchBob(...patches: Partial<MemberPatch>[]) {
    const app = world.fresh("app");
    await world.store.events.commit([sampleRun(app, "ann.bob", { count: 10 })]);
    const bob = { app, conversation: "ann.bob", user: "bob" };
    const states = await world.store.conversations.patch(patches.map((patch) => ({ ...bob, ...patch })));
    const view = await world.store.conversations.view(app, "ann.bob", "bob");
    expect(view?.state).toEqual(states.findLast((state) => state !== null) ?? fresh);
    return states;
  }

  describe("patch", () => {
    it("applies patches in order and answers the state after each", async () => {
      const states = await patchBob(
        { delivered: 4 },
        { read: 3, archivedAt: 4 },
        { archivedAt: null, delivered: 5 },
      );

      expect(states).toEqual([
        { ...fresh, delivered: 4 },
        { ...fresh, delivered: 4, read: 3, archivedAt: 4 },
        { ...fresh, delivered: 5, read: 3 },
      ]);
    });

    it("moves watermarks forward only", async () => {
      const states = await patchBob(
        { delivered: 6, read: 5, clearedAt: 4 },
        { delivered: 2, read: 1, clearedAt: 3 },
      );

      expect(states[1]).toEqual({ ...fresh, delivered: 6, read: 5, clearedAt: 4 });
    });

    it("moves nothing past the head", async () => {
      const states = await patchBob({ delivered: 99, read: 11, clearedAt: 1_000, archivedAt: 12 });

      expect(states).toEqual([
        { delivered: 10, read: 10, clearedAt: 10, archivedAt: 10, markedUnread: false },
      ]);
    });

    it("lets reading clear what was marked unread, unless the patch says otherwise", async () => {
      const states = await patchBob(
        { markedUnread: true },
        { delivered: 3 },
        { read: 2 },
        { read: 2, markedUnread: true },
        { markedUnread: false },
      );

      expect(states.map((state) => state?.markedUnread)).toEqual([true, true, false, true, false]);
    });

    it("changes nothing with an empty patch", async () => {
      const states = await patchBob({ read: 2, markedUnread: true }, {});

      expect(states[1]).toEqual(states[0]);
    });

    it("answers null where the user never was a member, and applies the others", async () => {
      const states = await patchBob(
        { user: "eve", read: 1 },
        { conversation: "ann.eve", read: 1 },
        { read: 1 },
      );

      expect(states).toEqual([null, null, { ...fresh, read: 1 }]);
    });

    it("moves a former member's watermarks, too", async () => {
      const app = world.fresh("app");
      const members = sampleMembers(["bob"], [[1, 1]]);
      await world.store.events.commit([sampleRun(app, "group-1", { count: 2, members })]);

      const states = await world.store.conversations.patch([
        { app, conversation: "group-1", user: "bob", read: 1 },
      ]);

      expect(states).toEqual([{ ...fresh, read: 1 }]);
    });

    it("moves one member's place and no other's", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      const members = [...sampleMembers(["zoe"]), ...sampleMembers(["ann"], [[1, 1]])];
      await events.commit([sampleRun(app, "group-1", { members }), sampleRun(app, "group-2", { members })]);

      await conversations.patch([{ app, conversation: "group-1", user: "ann", delivered: 1 }]);

      const views = await Promise.all(
        ["group-1", "group-2"].flatMap((name) => [
          conversations.view(app, name, "ann"),
          conversations.view(app, name, "zoe"),
        ]),
      );
      expect(views.map((view) => view?.state)).toEqual([{ ...fresh, delivered: 1 }, fresh, fresh, fresh]);
    });

    it("answers nothing to nothing", async () => {
      expect(await world.store.conversations.patch([])).toEqual([]);
    });
  });
}

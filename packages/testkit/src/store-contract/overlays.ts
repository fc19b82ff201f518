import type { ConversationOverlays } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleErasures, sampleRun } from "./samples.ts";
import type { OpenStore, StoreWorld } from "./store-world.ts";

/** `OverlayStore`. */
export function describeOverlays(world: StoreWorld, open: OpenStore): void {
  const edit = (seq: number, version: number) => ({ seq, overlay: `{"version":${version}}`, erases: false });
  const read = (app: string, conversation: string) =>
    world.store.events.read({ app, conversation, limit: 100, from: "oldest" });

  describe("amended", () => {
    it("answers conversations that hold an overlay or an event of the types, page by page", async () => {
      const { store, cleanup } = await open();
      const { commit } = store.events;
      const erased = { type: "erased", listed: false };
      await commit([
        sampleRun("app", "ann.bob", { count: 3, amendments: [edit(3, 3), ...sampleErasures(2, 1)] }),
        sampleRun("app", "ann.cid", { count: 3 }),
        sampleRun("app", "ann.dan", { events: [{}, erased] }),
        sampleRun("other", "ann.bob", { events: [{ type: "group_updated", listed: false }] }),
      ]);
      await commit([
        sampleRun("other", "ann.cid", { events: [{}, erased], amendments: sampleErasures(2, 1) }),
      ]);
      const walk = async (types: readonly string[], limit: number) => {
        const all: ConversationOverlays[] = [];
        for (let after: ConversationOverlays | undefined; ; after = all.at(-1)) {
          const page = await store.overlays.amended(types, limit, after);
          all.push(...page);
          if (page.length < limit) return all;
        }
      };
      const names = (found: readonly ConversationOverlays[]) =>
        found.map(({ app, conversation }) => `${app} ${conversation}`);

      const inPages = await walk(["erased"], 1);

      expect(inPages).toEqual(await walk(["erased"], 9));
      expect(names(inPages).toSorted()).toEqual(["app ann.bob", "app ann.dan", "other ann.cid"]);
      expect(names(await walk([], 2)).toSorted()).toEqual(["app ann.bob", "other ann.cid"]);
      expect(names(await walk(["erased", "group_updated"], 2)).toSorted()).toEqual([
        ...["app ann.bob", "app ann.dan", "other ann.bob", "other ann.cid"],
      ]);
      expect(names(await walk(["message"], 2))).toHaveLength(4);
      expect(inPages.find(({ app, conversation }) => app === "app" && conversation === "ann.bob")).toEqual({
        ...{ app: "app", conversation: "ann.bob", head: 3 },
        overlays: [
          { seq: 1, overlay: sampleErasures(2, 1)[0]?.overlay },
          { seq: 3, overlay: '{"version":3}' },
        ],
      });
      await cleanup();
    });
  });

  describe("replace", () => {
    it("replaces all overlays of one conversation, erases what is erased, and twice is once", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([
        sampleRun(app, "ann.bob", { count: 4, amendments: [edit(1, 4), edit(2, 4)] }),
        sampleRun(app, "ann.cid", { count: 2, amendments: [edit(1, 2)] }),
      ]);
      const before = await read(app, "ann.bob");
      const list = () => world.store.conversations.list({ app, user: "bob", archived: null, limit: 1 });
      const [listedBefore] = await list();
      const key = { app, conversation: "ann.bob", expectedHead: 4 };
      const overlays = [edit(2, 9), ...sampleErasures(4, 4)];

      const first = await world.store.overlays.replace(key, overlays);
      const once = await read(app, "ann.bob");
      const second = await world.store.overlays.replace(key, overlays);

      expect([first, second]).toEqual([true, true]);
      const gone = { body: "{}", tempUid: null, listed: false, overlay: sampleErasures(4, 4)[0]?.overlay };
      expect(once).toEqual([
        { ...before[0], overlay: null },
        { ...before[1], overlay: '{"version":9}' },
        before[2],
        { ...before[3], ...gone },
      ]);
      expect(await read(app, "ann.bob")).toEqual(once);
      expect((await read(app, "ann.cid"))[0]?.overlay).toBe('{"version":2}');
      const view = await world.store.conversations.view(app, "ann.bob", "bob");
      expect(view).toMatchObject({ last: { seq: 3 }, unread: 3 });
      expect(listedBefore?.last?.seq).toBe(4);
      expect(await list()).toEqual([view]);
    });

    it("changes nothing when the head is another one, and where there is no conversation", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([sampleRun(app, "ann.bob", { count: 2, amendments: [edit(1, 2)] })]);
      const before = await read(app, "ann.bob");

      const answers = await Promise.all(
        [
          { app, conversation: "ann.bob", expectedHead: 1 },
          { app, conversation: "ann.bob", expectedHead: 3 },
          { app, conversation: "ann.cid", expectedHead: 0 },
        ].map((key) => world.store.overlays.replace(key, sampleErasures(2, 1))),
      );

      expect(answers).toEqual([false, false, false]);
      expect(await read(app, "ann.bob")).toEqual(before);
    });
  });
}

import type { MessageSearch } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleErasures, sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `EventLog.findMessages`. */
export function describeMessageSearch(world: StoreWorld): void {
  /** All messages that a search finds, and the number of its steps. */
  async function searchAll(search: MessageSearch): Promise<{ found: string[]; steps: number }> {
    const found: string[] = [];
    let steps = 0;
    for (let from: string | null | undefined; from !== null; steps += 1) {
      const step = await world.store.events.findMessages({
        ...search,
        ...(from === undefined ? {} : { from }),
      });
      expect(step.found.length).toBeLessThanOrEqual(500);
      found.push(...step.found.map(({ app, conversation, seq }) => `${app} ${conversation} ${seq}`));
      from = step.next;
    }
    return { found, steps };
  }

  /** Ann writes 1 and 4, bob 2; 3 is not a message. */
  async function twoConversations(): Promise<string> {
    const app = world.fresh("app");
    const events = [{}, { sender: "bob" }, { type: "member_added", listed: false }, {}];
    const members = sampleMembers(["ann", "bob"]);
    await world.store.events.commit([
      sampleRun(app, "group-1", { events, members }),
      sampleRun(app, "group-2", { events, members }),
      sampleRun(`${app}-other`, "group-1", { events, members }),
    ]);
    return app;
  }

  describe("findMessages", () => {
    it("finds the messages of a conversation, of a sender, and of a sender in a conversation", async () => {
      const app = await twoConversations();

      const inOne = await searchAll({ app, conversation: "group-1" });
      const ofAnn = await searchAll({ app, sender: "ann" });
      const ofBobInOne = await searchAll({ app, conversation: "group-2", sender: "bob" });

      expect(inOne.found).toEqual([1, 2, 4].map((seq) => `${app} group-1 ${seq}`));
      expect(ofAnn.found.toSorted()).toEqual(
        ["group-1 1", "group-1 4", "group-2 1", "group-2 4"].map((name) => `${app} ${name}`),
      );
      expect(ofBobInOne.found).toEqual([`${app} group-2 2`]);
    });

    it("leaves out what was erased", async () => {
      const app = await twoConversations();
      const amendments = sampleErasures(5, 1, 2);
      const each = { type: "erased", sender: "system", listed: false };
      await world.store.events.commit([sampleRun(app, "group-1", { expectedHead: 4, each, amendments })]);

      expect((await searchAll({ app, conversation: "group-1" })).found).toEqual([`${app} group-1 4`]);
      expect((await searchAll({ app, conversation: "group-1", sender: "ann" })).found).toHaveLength(1);
      expect((await searchAll({ app, sender: "bob" })).found).toEqual([`${app} group-2 2`]);
    });

    it("reaches the end of a long log in steps, each number once, also while what it found is erased", async () => {
      const app = world.fresh("app");
      const { commit, findMessages } = world.store.events;
      const count = 1_000;
      for (const expectedHead of [0, count]) {
        await commit([
          sampleRun(app, "ann.bob", { count, expectedHead }),
          sampleRun(app, "ann.cid", { count, expectedHead, each: { sender: "cid" } }),
        ]);
      }
      let head = 2 * count;
      const reached: number[] = [];

      for (let from: string | null = ""; from !== null; ) {
        const step = await findMessages({ app, sender: "ann", ...(from === "" ? {} : { from }) });
        const seqs = step.found.map(({ seq }) => seq);
        if (seqs.length > 0) {
          const each = { type: "erased", sender: "system", listed: false };
          const amendments = sampleErasures(head + 1, ...seqs);
          await commit([sampleRun(app, "ann.bob", { expectedHead: head, each, amendments })]);
          head += 1;
        }
        reached.push(...seqs);
        from = step.next;
      }

      expect(reached).toEqual(Array.from({ length: 2 * count }, (_, index) => index + 1));
      expect((await searchAll({ app, sender: "ann" })).found).toEqual([]);
      const inOne = await searchAll({ app, conversation: "ann.cid" });
      expect(inOne.found).toHaveLength(2 * count);
      expect(inOne.steps).toBeGreaterThanOrEqual(4);
    });

    it("finds nothing where nobody of that name wrote, and in no such conversation", async () => {
      const app = await twoConversations();
      const searches = [
        { app, sender: "nobody" },
        { app, conversation: "group-none" },
        { app, conversation: "group-1", sender: "nobody" },
        { app: world.fresh("app"), sender: "ann" },
      ];

      for (const search of searches) expect((await searchAll(search)).found).toEqual([]);
    });

    it("refuses to look through a whole app", async () => {
      const app = await twoConversations();

      await expect(world.store.events.findMessages({ app })).rejects.toMatchObject({ code: "bad_request" });
    });
  });
}

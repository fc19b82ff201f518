import type { EventRange } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `EventLog.read`, `find` and `findByClientMessageId`. */
export function describeEventReads(world: StoreWorld): void {
  const conversation = "group-1";

  /** Ten events: 3 and 7 are not messages, 5 is hidden for bob. Ann sees all, bob 2-4, 5-8, dan nothing. */
  async function tenEvents(): Promise<string> {
    const app = world.fresh("app");
    const events = Array.from({ length: 10 }, (_, index) => {
      if (index === 2 || index === 6) return { type: "member_added", listed: false } as const;
      return index === 4 ? { hiddenFor: "bob" } : {};
    });
    const members = [
      { user: "ann", role: "owner", intervals: [[1, null]] },
      {
        user: "bob",
        role: "member",
        intervals: [
          [2, 3],
          [5, 8],
        ],
      },
    ] as const;
    await world.store.events.commit([sampleRun(app, conversation, { events, members })]);
    return app;
  }

  const read = async (app: string, range: Omit<EventRange, "app" | "conversation">) =>
    (await world.store.events.read({ app, conversation, ...range })).map(({ seq }) => seq);

  describe("read", () => {
    it.each<[string, Omit<EventRange, "app" | "conversation">, number[]]>([
      ["the first of all", { limit: 3, from: "oldest" }, [1, 2, 3]],
      ["the last of all, still ascending", { limit: 3, from: "newest" }, [8, 9, 10]],
      [
        "what lies between two exclusive bounds",
        { after: 2, before: 6, limit: 9, from: "oldest" },
        [3, 4, 5],
      ],
      ["the last before a bound", { before: 6, limit: 2, from: "newest" }, [4, 5]],
      ["the first after a bound", { after: 6, limit: 2, from: "oldest" }, [7, 8]],
      ["nothing between neighbours", { after: 4, before: 5, limit: 9, from: "oldest" }, []],
      ["nothing beyond the head", { after: 10, limit: 9, from: "oldest" }, []],
      ["one type only", { types: ["member_added"], limit: 9, from: "oldest" }, [3, 7]],
      ["several types", { types: ["member_added", "message"], limit: 4, from: "newest" }, [7, 8, 9, 10]],
      ["no type at all", { types: [], limit: 9, from: "oldest" }, []],
      ["what a member may see", { visibleTo: "bob", limit: 9, from: "oldest" }, [2, 3, 6, 7, 8]],
      ["the last that a member may see", { visibleTo: "bob", limit: 4, from: "newest" }, [3, 6, 7, 8]],
      ["the first that a member may see", { visibleTo: "bob", limit: 3, from: "oldest" }, [2, 3, 6]],
      [
        "a member's part of a range",
        { visibleTo: "bob", after: 2, before: 7, limit: 9, from: "oldest" },
        [3, 6],
      ],
      ["a member's messages", { visibleTo: "bob", types: ["message"], limit: 9, from: "oldest" }, [2, 6, 8]],
      ["nothing for somebody who never was a member", { visibleTo: "dan", limit: 9, from: "oldest" }, []],
    ])("answers %s", async (_, range, expected) => {
      const app = await tenEvents();

      const seqs = await read(app, range);

      expect(seqs).toEqual(expected);
    });

    it.each<[string, Partial<EventRange>, number[]]>([
      ["the first whose bodies fit", { characters: 65, from: "oldest" }, [1, 2, 3]],
      ["the last whose bodies fit", { characters: 65, from: "newest" }, [5, 6]],
      ["one that is too large when it is the next", { after: 3, characters: 9, from: "oldest" }, [4]],
      ["what a member may see of it", { visibleTo: "bob", characters: 45, from: "oldest" }, [2, 3]],
      ["bodies up to their last character", { characters: 60, from: "oldest" }, [1, 2, 3]],
      ["no more than the limit, however much fits", { characters: 999, limit: 2, from: "newest" }, [5, 6]],
    ])("answers %s", async (_, range, expected) => {
      const app = world.fresh("app");
      const body = (length: number) => ({ body: `{"text":"${"x".repeat(length - 11)}"}` });
      const events = [20, 20, 20, 30, 20, 20].map((length, index) => ({
        ...body(length),
        ...(index === 3 ? { hiddenFor: "bob" } : {}),
      }));
      const members = [...sampleMembers(["ann"]), ...sampleMembers(["bob"], [[2, null]])];
      await world.store.events.commit([sampleRun(app, conversation, { events, members })]);

      expect(await read(app, { limit: 9, from: "oldest", ...range })).toEqual(expected);
    });

    it("answers nothing for an unknown conversation and for the same name in another app", async () => {
      const app = await tenEvents();

      expect(
        await world.store.events.read({ app, conversation: "group-2", limit: 9, from: "newest" }),
      ).toEqual([]);
      expect(await read(world.fresh("app"), { limit: 9, from: "newest" })).toEqual([]);
    });
  });

  describe("find", () => {
    it("finds an event by its message id and by its temporary id", async () => {
      const app = await tenEvents();

      const found = await Promise.all(
        ["id-group-1-4", "temp-group-1-9"].map((id) => world.store.events.find(app, conversation, id)),
      );

      expect(found.map((event) => event?.seq)).toEqual([4, 9]);
      expect(found[0]).toEqual(sampleRun(app, conversation, { count: 4 }).events[3]);
    });

    it("answers the newest of several with the same temporary id", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([sampleRun(app, "ann.bob", { count: 4, each: { tempUid: "copied" } })]);

      const found = await world.store.events.find(app, "ann.bob", "copied");

      expect(found?.seq).toBe(4);
    });

    it("finds what lies among the newest events that it is asked for", async () => {
      const app = await tenEvents();
      const { find } = world.store.events;

      const found = await Promise.all([
        find(app, conversation, "id-group-1-8", 3),
        find(app, conversation, "temp-group-1-10", 1),
        find(app, conversation, "id-group-1-1", 10),
        find(app, conversation, "none", 3),
      ]);

      expect(found.map((event) => event?.seq)).toEqual([8, 10, 1, undefined]);
    });

    it("answers null for an id of another conversation, of another app, and for an unknown one", async () => {
      const app = await tenEvents();
      await world.store.events.commit([sampleRun(app, "ann.bob")]);
      const { find } = world.store.events;

      expect(await find(app, "ann.bob", "id-group-1-4")).toBeNull();
      expect(await find(world.fresh("app"), conversation, "id-group-1-4")).toBeNull();
      expect(await find(app, conversation, "")).toBeNull();
      expect(await find(app, "group-none", "id-group-1-4")).toBeNull();
    });
  });

  describe("findByClientMessageId", () => {
    it("answers the event that took the key, by app and sender", async () => {
      const app = await tenEvents();
      const { findByClientMessageId } = world.store.events;

      const found = await findByClientMessageId(app, "ann", "key-group-1-6");

      expect(found).toEqual(sampleRun(app, conversation, { count: 6 }).events[5]);
      expect(await findByClientMessageId(app, "bob", "key-group-1-6")).toBeNull();
      expect(await findByClientMessageId(world.fresh("app"), "ann", "key-group-1-6")).toBeNull();
    });
  });
}

import type { GroupQuery } from "@chat21/engine";
import { describe, expect, it } from "vitest";
import { sampleGroup, sampleMembers, sampleRun } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** `ConversationStore` without lists and patches. */
export function describeConversations(world: StoreWorld): void {
  describe("load", () => {
    it("answers one record per key in order, null where there is none", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([sampleRun(app, "ann.bob"), sampleRun(app, "ann.cid", { count: 2 })]);
      const keys = ["ann.cid", "ann.dan", "ann.bob", "ann.cid"].map((conversation) => ({
        app,
        conversation,
      }));

      const records = await world.store.conversations.load([
        ...keys,
        { app: `${app}-other`, conversation: "ann.bob" },
      ]);

      expect(records.map((record) => record && [record.conversation, record.head])).toEqual([
        ["ann.cid", 2],
        null,
        ["ann.bob", 1],
        ["ann.cid", 2],
        null,
      ]);
      expect(await world.store.conversations.load([])).toEqual([]);
    });

    it("names whose archive the conversation is in, in the order of the members", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      await events.commit([sampleRun(app, "group-1", { members: sampleMembers(["zoe", "ann", "bob"]) })]);

      await conversations.patch(
        ["bob", "zoe"].map((user) => ({ app, conversation: "group-1", user, archivedAt: 1 })),
      );

      const [record] = await conversations.load([{ app, conversation: "group-1" }]);
      expect(record?.archivedBy).toEqual(["zoe", "bob"]);
    });

    it("sees a write that was acknowledged before", async () => {
      const app = world.fresh("app");
      const heads: (number | undefined)[] = [];

      for (let head = 0; head < 20; head += 1) {
        await world.store.events.commit([sampleRun(app, "ann.bob", { expectedHead: head })]);
        const [record] = await world.store.conversations.load([{ app, conversation: "ann.bob" }]);
        heads.push(record?.head);
      }

      expect(heads).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    });
  });

  describe("view", () => {
    it("shows the head, a fresh place, the last message, and what is unread", async () => {
      const app = world.fresh("app");
      const run = sampleRun(app, "ann.bob", { events: [{ sender: "bob" }, {}, {}] });
      await world.store.events.commit([run]);

      const view = await world.store.conversations.view(app, "ann.bob", "bob");

      expect(view).toEqual({
        ...{ app, conversation: "ann.bob", kind: "direct", head: 3 },
        state: { delivered: 0, read: 0, archivedAt: null, markedUnread: false, clearedAt: 0 },
        last: run.events[2],
        unread: 2,
        counterpart: { delivered: 0, read: 0 },
      });
    });

    it("is null for somebody who never was a member, and for what does not exist", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([sampleRun(app, "ann.bob")]);
      const { view } = world.store.conversations;

      expect(await view(app, "ann.bob", "eve")).toBeNull();
      expect(await view(app, "ann.eve", "ann")).toBeNull();
      expect(await view(`${app}-other`, "ann.bob", "ann")).toBeNull();
    });

    it("leaves out what is not listed, hidden for the user, or outside its intervals", async () => {
      const app = world.fresh("app");
      const members = [
        ...sampleMembers(["ann", "bob"]),
        ...sampleMembers(
          ["cid"],
          [
            [1, 1],
            [3, 4],
          ],
        ),
      ];
      const events = [{}, {}, {}, { hiddenFor: "cid" }, { hiddenFor: "bob" }, { listed: false }];
      await world.store.events.commit([sampleRun(app, "group-1", { events, members })]);

      const views = await Promise.all(
        ["ann", "bob", "cid"].map((user) => world.store.conversations.view(app, "group-1", user)),
      );

      expect(views.map((view) => [view?.last?.seq, view?.unread])).toEqual([
        [5, 0],
        [4, 4],
        [3, 2],
      ]);
    });

    it("ends where the user's last interval ends", async () => {
      const app = world.fresh("app");
      const members = [
        ...sampleMembers(["ann"]),
        ...sampleMembers(
          ["bob"],
          [
            [1, 1],
            [3, 4],
          ],
        ),
      ];
      await world.store.events.commit([sampleRun(app, "group-1", { count: 6, members })]);

      const views = await Promise.all(
        ["ann", "bob"].map((user) => world.store.conversations.view(app, "group-1", user)),
      );

      expect(views.map((view) => [view?.kind, view?.head])).toEqual([
        ["group", 6],
        ["group", 4],
      ]);
    });

    it("counts only messages of others beyond the read watermark, to 1,000 at most", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      const half = { count: 600 } as const;
      await events.commit([sampleRun(app, "ann.bob", half)]);
      await events.commit([sampleRun(app, "ann.bob", { ...half, expectedHead: 600 })]);
      await events.commit([sampleRun(app, "ann.bob", { expectedHead: 1_200, each: { sender: "bob" } })]);

      const before = await conversations.view(app, "ann.bob", "bob");
      await conversations.patch([{ app, conversation: "ann.bob", user: "bob", read: 1_150 }]);
      const after = await conversations.view(app, "ann.bob", "bob");

      expect([before?.unread, after?.unread]).toEqual([1_000, 50]);
    });

    it("does not count what the system says, and shows it all the same", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      const senders = ["bob", "system", "bob", "system", "ann", "system"];
      const members = sampleMembers(["ann", "bob", "system"]);
      await events.commit([
        sampleRun(app, "group-1", { members, events: senders.map((sender) => ({ sender })) }),
        sampleRun(app, "group-2", { members, events: [{ sender: "system" }] }),
        // In an app where the user never wrote anything.
        sampleRun(`${app}-quiet`, "group-1", {
          members: sampleMembers(["ann"]),
          events: [{ sender: "bob" }],
        }),
      ]);
      const unread = async (user: string, name = "group-1") =>
        (await conversations.view(app, name, user))?.unread;

      expect([await unread("ann"), await unread("bob"), await unread("system")]).toEqual([2, 1, 3]);
      expect(await unread("ann", "group-2")).toBe(0);
      expect((await conversations.view(app, "group-1", "ann"))?.last?.seq).toBe(6);
      expect((await conversations.view(`${app}-quiet`, "group-1", "ann"))?.unread).toBe(1);
      await conversations.patch([{ app, conversation: "group-1", user: "ann", read: 1 }]);
      const [listed] = await conversations.list({ app, user: "ann", archived: null, limit: 1 });
      expect([listed?.conversation, listed?.unread]).toEqual(["group-1", 1]);
    });

    it("shows the counterpart's watermarks in a direct conversation only, and none of notes to self", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      await events.commit([
        sampleRun(app, "ann.bob", { count: 3 }),
        sampleRun(app, "ann.ann", { members: sampleMembers(["ann"]) }),
        sampleRun(app, "group-1", { members: sampleMembers(["ann", "bob"]) }),
      ]);

      await conversations.patch([{ app, conversation: "ann.bob", user: "bob", delivered: 3, read: 2 }]);

      const names = ["ann.bob", "ann.ann", "group-1"];
      const views = await Promise.all(names.map((name) => conversations.view(app, name, "ann")));
      expect(views.map((view) => view?.counterpart)).toEqual([{ delivered: 3, read: 2 }, null, null]);
    });
  });

  describe("heads", () => {
    it("answers every conversation of a user, former ones too, page by page, whatever is written meanwhile", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      await events.commit([
        sampleRun(app, "ann.bob"),
        sampleRun(app, "ann.cid"),
        sampleRun(app, "bob.cid"),
        sampleRun(app, "group-b", { members: sampleMembers(["ann"], [[1, 1]]) }),
        sampleRun(app, "group-a", { members: sampleMembers(["ann", "bob"]) }),
      ]);
      await events.commit([sampleRun(app, "ann.bob", { expectedHead: 1 })]);

      const heads = await conversations.heads(app, "ann", 10);
      const paged: (typeof heads)[number][] = [];
      for (let page = await conversations.heads(app, "ann", 1); page.length > 0; ) {
        paged.push(...page);
        await events.commit([sampleRun(app, "ann.cid", { expectedHead: paged.length })]);
        page = await conversations.heads(app, "ann", 1, page.at(-1)?.conversation);
      }

      expect(heads.toSorted((a, b) => (a.conversation < b.conversation ? -1 : 1))).toEqual([
        { conversation: "ann.bob", head: 2 },
        { conversation: "ann.cid", head: 1 },
        { conversation: "group-a", head: 1 },
        { conversation: "group-b", head: 1 },
      ]);
      expect(paged.map(({ conversation }) => conversation)).toEqual(
        heads.map(({ conversation }) => conversation),
      );
      expect(await conversations.heads(app, "ann", 2)).toMatchObject(
        heads.slice(0, 2).map(({ conversation }) => ({ conversation })),
      );
      expect(await conversations.heads(app, "eve", 10)).toEqual([]);
    });
  });

  describe("groups", () => {
    it("come with their data and the number of those who are in them now", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      const many = Array.from({ length: 500 }, (_, index) => `user-${index}`);
      const attributes = '{"color": "red"}';
      await events.commit([
        sampleRun(app, "group-large", {
          members: sampleMembers(many),
          group: { ...sampleGroup, attributes },
        }),
        sampleRun(app, "group-left", {
          members: [
            ...sampleMembers(["ann"]),
            ...sampleMembers(["bob"], [[1, 1]]),
            ...sampleMembers(
              ["cid"],
              [
                [1, 1],
                [1, null],
              ],
            ),
          ],
          group: sampleGroup,
        }),
        sampleRun(app, "group-nobody", { members: sampleMembers(["bob"], [[1, 1]]), group: sampleGroup }),
        sampleRun(`${app}-other`, "group-left", { members: sampleMembers(["ann"]), group: sampleGroup }),
      ]);

      const left = { app, conversation: "group-left", group: sampleGroup, memberCount: 2 };
      expect(await conversations.groups({ app, limit: 9 })).toEqual([
        { app, conversation: "group-large", group: { ...sampleGroup, attributes }, memberCount: 500 },
        left,
        { app, conversation: "group-nobody", group: sampleGroup, memberCount: 0 },
      ]);
      expect(await conversations.groups({ app, limit: 9, member: "ann" })).toEqual([left]);
    });

    it("answers stored groups by id, page by page, and of a member those that it is in now", async () => {
      const app = world.fresh("app");
      const { conversations, events } = world.store;
      const present = sampleMembers(["ann", "bob"]);
      const left = [...sampleMembers(["ann"]), ...sampleMembers(["bob"], [[1, 1]])];
      const group = sampleGroup;
      await events.commit([
        sampleRun(app, "group-c", { members: present, group }),
        sampleRun(app, "group-a", { members: left, group }),
        sampleRun(app, "group-B", {
          members: sampleMembers(
            ["bob"],
            [
              [1, 1],
              [1, null],
            ],
          ),
          group,
        }),
        sampleRun(app, "group-inline", { members: present, group: null }),
        sampleRun(app, "ann.bob"),
        sampleRun(`${app}-other`, "group-d", { members: present, group }),
      ]);

      const ids = async (query: Omit<GroupQuery, "app">) =>
        (await conversations.groups({ app, ...query })).map(({ conversation }) => conversation);
      const of = (member?: string) => ids({ limit: 9, ...(member === undefined ? {} : { member }) });
      expect(await of()).toEqual(["group-B", "group-a", "group-c"]);
      expect(await of("ann")).toEqual(["group-a", "group-c"]);
      expect(await of("bob")).toEqual(["group-B", "group-c"]);
      expect(await of("nobody")).toEqual([]);
      expect(await ids({ limit: 1 })).toEqual(["group-B"]);
      expect(await ids({ limit: 9, after: "group-B" })).toEqual(["group-a", "group-c"]);
      expect(await ids({ limit: 1, after: "group-B", member: "bob" })).toEqual(["group-c"]);
    });
  });

  describe("peers", () => {
    it("answers the others of direct conversations", async () => {
      const app = world.fresh("app");
      await world.store.events.commit([
        sampleRun(app, "ann.bob"),
        sampleRun(app, "ann.cid"),
        sampleRun(app, "ann.ann", { members: sampleMembers(["ann"]) }),
        sampleRun(app, "aaa.ann"),
        sampleRun(app, "group-1", { members: sampleMembers(["ann", "dan"]) }),
      ]);

      const peers = await world.store.conversations.peers(app, "ann", 10);
      expect(peers.toSorted()).toEqual(["aaa", "bob", "cid"]);
      expect(await world.store.conversations.peers(app, "ann", 1)).toEqual(peers.slice(0, 1));
      expect(await world.store.conversations.peers(app, "eve", 10)).toEqual([]);
    });

    it("reaches everybody page by page, whatever is written meanwhile", async () => {
      const app = world.fresh("app");
      const names = Array.from({ length: 25 }, (_, index) => `${index % 2 === 0 ? "a" : "z"}-${index}`);
      const { conversations, events } = world.store;
      const id = (name: string) => [name, "max"].toSorted().join(".");
      await events.commit([
        ...names.map((name) => sampleRun(app, id(name))),
        sampleRun(app, "max.max", { members: sampleMembers(["max"]) }),
        sampleRun(app, "group-1", { members: sampleMembers(["max", "eve"]) }),
        sampleRun(app, "a-1.a-3"),
        sampleRun(`${app}-other`, "eve.max"),
      ]);

      const reached: string[] = [];
      const pages: number[] = [];
      for (let page = await conversations.peers(app, "max", 4); page.length > 0; ) {
        reached.push(...page);
        pages.push(page.length);
        await events.commit([sampleRun(app, id(names[pages.length] ?? ""), { expectedHead: 1 })]);
        page = await conversations.peers(app, "max", 4, page.at(-1));
      }

      expect(reached.toSorted()).toEqual(names.toSorted());
      expect(pages).toEqual([4, 4, 4, 4, 4, 4, 1]);
      expect(await conversations.peers(app, "nobody", 4)).toEqual([]);
    });
  });
}

import { describe, expect, it } from "vitest";
import { textMessage } from "./messages.ts";
import type { Frame } from "./old-client.ts";
import { app, type World } from "./world.ts";

/** Groups: REST in, S1 and S6 out. */
export function describeGroups(world: () => World): void {
  describe("groups", () => {
    it("bring a member's message to every member as delivered, the sender included, under one number", async () => {
      const [a, b, c] = await world().people("a", "b", "c");
      const group = await world().createGroup(a.user, [a.user, b.user, c.user]);

      await a.send(group, groupMessage("to all"));
      const copies = await Promise.all([a, b, c].map((member) => member.nextMessage(group, "to all")));

      expect(copies.map(({ payload }) => payload.status)).toEqual([150, 150, 150]);
      expect(new Set(copies.map(({ payload }) => `${payload.message_id} ${payload.seq}`)).size).toBe(1);
    });

    it("keep the order of each sender live, and have the same order by number for everybody", async () => {
      const [a, b, c] = await world().people("a", "b", "c");
      const group = await world().createGroup(a.user, [a.user, b.user, c.user]);
      const rounds = Array.from({ length: 50 }, (_, index) => index);

      for (const round of rounds) {
        void a.send(group, groupMessage(`a${round}`));
        void b.send(group, groupMessage(`b${round}`));
      }
      const seen = await Promise.all(
        [a, b, c].map(async (member) => {
          const copies: { seq: number; timestamp: number; text: string }[] = [];
          while (copies.length < 100) {
            const { payload } = await member.nextMessage(group);
            if (payload.sender !== "system") copies.push(payload);
          }
          return copies;
        }),
      );

      const expected = ["a", "b"].map((sender) => rounds.map((round) => `${sender}${round}`));
      const [one, ...others] = seen.map((copies) => {
        const live = ["a", "b"].map((sender) =>
          copies.map(({ text }) => text).filter((text) => text.startsWith(sender)),
        );
        expect(live).toEqual(expected);
        const numbered = copies.toSorted((first, second) => first.seq - second.seq);
        // Clients that do not know numbers sort by timestamp.
        expect(copies.toSorted((first, second) => first.timestamp - second.timestamp)).toEqual(numbered);
        return numbered.map(({ seq, text }) => `${seq} ${text}`);
      });
      for (const other of others) expect(other).toEqual(one);
    });

    it("hide a message from the member it is hidden for, and from nobody else", async () => {
      const [a, b, c] = await world().people("a", "b", "c");
      const group = await world().createGroup(a.user, [a.user, b.user, c.user]);

      await a.send(group, groupMessage("secret", { attributes: { hiddenFor: b.user } }));
      await a.send(group, groupMessage("open"));
      await c.nextMessage(group, "secret");
      await b.nextMessage(group, "open");

      expect(b.untaken((frame) => frame.payload.text === "secret")).toEqual([]);
      expect((await world().history(b.user, group)).map(({ text }) => text)).not.toContain("secret");
      expect((await world().history(c.user, group)).map(({ text }) => text)).toContain("secret");
    });

    it("take ids of 71 characters", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user], world().newSupportGroup());

      await a.send(group, groupMessage("long"));

      expect((await b.nextMessage(group, "long")).payload.recipient).toBe(group);
    });

    it("refuse a message of somebody who is no member", async () => {
      const [a, stranger] = await world().people("a", "stranger");
      const group = await world().createGroup(a.user, [a.user]);

      await stranger.send(group, groupMessage("let me in", { client_message_id: "key-1" }), 1);
      const answer = (await stranger.nextAnswer()).payload;
      await a.send(group, groupMessage("fence"));
      await a.nextMessage(group, "fence");

      expect(answer).toMatchObject({ code: "not_member", client_message_id: "key-1" });
      expect(a.untaken((frame) => frame.payload.text === "let me in")).toEqual([]);
    });

    it("let leavers read up to their last message and not beyond", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user]);
      await a.send(group, groupMessage("before"));
      await b.nextMessage(group, "before");

      const left = await world().rest(b.user).delete(`${app}/groups/${group}/members/${b.user}`);
      await a.send(group, groupMessage("after"));
      await a.nextMessage(group, "after");
      const texts = (await world().history(b.user, group)).map(({ text }) => text);

      expect(left.status).toBe(200);
      expect(texts).toContain("before");
      expect(texts).not.toContain("after");
      expect(b.untaken((frame) => frame.payload.text === "after")).toEqual([]);
    });

    it("pass on to the member of longest standing when their owner leaves", async () => {
      const [a, b, c] = await world().people("a", "b", "c");
      const group = await world().createGroup(a.user, [a.user, b.user, c.user]);

      const left = await world().rest(a.user).delete(`${app}/groups/${group}/members/${a.user}`);
      const told = (await c.next((frame) => isGroupUpdate(frame) && frame.payload.owner !== a.user)).payload;
      const renamed = await world().rest(b.user).put(`${app}/groups/${group}`, { group_name: "Ours" });
      const refused = await world().rest(a.user).put(`${app}/groups/${group}`, { group_name: "Mine" });

      expect([left.status, renamed.status]).toEqual([200, 200]);
      expect(told).toMatchObject({ owner: b.user, members: { [b.user]: 1, [c.user]: 1 } });
      expect(refused.status).toBeGreaterThanOrEqual(400);
    });

    it("tell everybody about a new name and new attributes", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user]);

      await world().rest(a.user).put(`${app}/groups/${group}`, { group_name: "Renamed" });
      const renamed = (await b.next(isGroupUpdate)).payload;
      await world()
        .rest(a.user)
        .put(`${app}/groups/${group}/attributes`, { attributes: { color: "red" } });
      const coloured = (await b.next(isGroupUpdate)).payload;

      expect(renamed).toMatchObject({ uid: group, name: "Renamed" });
      expect(renamed.notification.messagelabel.key).toBe("DATA_UPDATED_GROUP");
      expect(coloured).toMatchObject({ uid: group, attributes: { color: "red" } });
      expect(coloured.notification.messagelabel.key).toBe("ATTRIBUTES_UPDATED_GROUP");
    });

    it("are not taken over by creating them again", async () => {
      const [a, thief] = await world().people("a", "thief");
      const group = await world().createGroup(a.user, [a.user]);

      const answer = await world()
        .rest(thief.user)
        .post(`${app}/groups`, { group_name: "Mine", group_id: group, group_members: { [thief.user]: 1 } });
      const stored = await world().rest(a.user).get(`${app}/groups/${group}`);

      expect(answer.status).not.toBe(201);
      expect(stored.body.result).toMatchObject({ owner: a.user, name: "Team", members: { [a.user]: 1 } });
    });

    it("deliver to the members of an inline group without creating it", async () => {
      const [a, b] = await world().people("a", "b");
      const group = world().newGroup();

      await a.send(group, groupMessage("inline", { group: { members: { [b.user]: 1 } } }));

      await Promise.all([a.nextMessage(group, "inline"), b.nextMessage(group, "inline")]);
      expect((await world().rest(a.user).get(`${app}/groups/${group}`)).status).toBe(404);
    });

    it("show the newest 200 messages to somebody who joins", async () => {
      const [a, late] = await world().people("a", "late");
      const group = await world().createGroup(a.user, [a.user]);
      for (let index = 0; index < 230; index++) void a.send(group, groupMessage(`m${index}`));
      await a.nextMessage(group, "m229");

      await world().rest(a.user).post(`${app}/groups/${group}/members`, { member_id: late.user });
      const isReplay = (frame: Frame) => frame.payload.__history === "true";
      const replayed: string[] = [];
      while (replayed.at(-1) !== "m229") replayed.push((await late.next(isReplay)).payload.text);

      expect(replayed).toEqual(Array.from({ length: 200 }, (_, index) => `m${index + 30}`));
      expect(a.untaken(isReplay)).toEqual([]);
    });
  });
}

/** A message to a group. */
export function groupMessage(text: string, more: object = {}): object {
  return textMessage(text, { channel_type: "group", recipient_fullname: "Team", ...more });
}

const isGroupUpdate = (frame: Frame) => frame.topic.includes("/groups/");

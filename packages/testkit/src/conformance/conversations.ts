import { describe, expect, it } from "vitest";
import { textMessage } from "./messages.ts";
import type { Frame, OldClient } from "./old-client.ts";
import { app, type World } from "./world.ts";

const endsWith = (suffix: string) => (frame: Frame) => frame.topic.endsWith(suffix);

/** Conversations: P3, P4, S3, S4, S5 and the lists of REST. */
export function describeConversations(world: () => World): void {
  const update = (me: OldClient, conversWith: string, patch: unknown) =>
    me.publish(`apps/${app}/users/${me.user}/conversations/${conversWith}/update`, patch);
  const archive = (me: OldClient, conversWith: string) =>
    me.publish(`apps/${app}/users/${me.user}/conversations/${conversWith}/archive`, {});
  const list = async (me: OldClient, name: string) =>
    (await world().rest(me.user).get(`${app}/${me.user}/${name}`)).body.result;

  describe("conversations", () => {
    it("are marked read and unread by their user, on all devices", async () => {
      const [a, b] = await world().people("a", "b");
      const second = await world().connect(b.user);
      await a.send(b.user, textMessage("hi"));
      await b.nextMessage(a.user);

      await update(b, a.user, { is_new: false });
      await second.next(endsWith(`/conversations/${a.user}/clientupdated`));
      const read = await list(b, "conversations");
      await update(b, a.user, { is_new: true });
      await second.next((frame) => frame.topic.endsWith("/clientupdated") && frame.payload.is_new === true);
      const unread = await list(b, "conversations");

      expect(read[0].is_new).toBe(false);
      expect(unread[0].is_new).toBe(true);
    });

    it.each([
      [0, false],
      [null, false],
      [1, true],
      ["yes", true],
    ])("take %j of a patch as JavaScript reads it", async (value, isNew) => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi"));
      await b.nextMessage(a.user);
      // The other state first, so that the patch changes something.
      await update(b, a.user, { is_new: !isNew });
      await b.next((frame) => frame.topic.endsWith("/clientupdated") && frame.payload.is_new === !isNew);

      await update(b, a.user, { is_new: value });
      const changed = (frame: Frame) =>
        frame.topic.endsWith("/clientupdated") && frame.payload.is_new === isNew;
      await b.next(changed);

      expect((await list(b, "conversations"))[0].is_new).toBe(isNew);
    });

    it("take nothing from a patch but is_new", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("true words"));
      await b.nextMessage(a.user);

      await update(b, a.user, {
        is_new: false,
        last_message_text: "forged",
        timelineOf: a.user,
        app_id: "other",
      });
      const frame = await b.next(endsWith("/clientupdated"));

      expect(frame.payload.timelineOf).toBe(b.user);
      expect((await list(b, "conversations"))[0]).toMatchObject({
        last_message_text: "true words",
        app_id: app,
      });
    });

    it("move between the lists when they are archived", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("old news"));
      await b.nextMessage(a.user);

      await archive(b, a.user);
      await b.next(endsWith(`/archived_conversations/${a.user}/clientadded`));

      expect(await list(b, "conversations")).toEqual([]);
      expect(await list(b, "conversations/archived")).toMatchObject([
        { conversWith: a.user, archived: true },
      ]);
      expect(await list(b, "archived_conversations")).toHaveLength(1);
      expect(await list(a, "conversations")).toHaveLength(1);
    });

    it("that do not exist are not created by archiving", async () => {
      const [a] = await world().people("a");
      const nobody = world().newUser("nobody");

      await archive(a, nobody);
      await a.send(a.user, textMessage("fence"));
      await a.nextMessage(a.user, "fence");

      expect(a.untaken(endsWith("/clientdeleted"))).toEqual([]);
      expect(await list(a, "conversations/archived")).toEqual([]);
    });

    it("are archived by REST for oneself, and by an admin for another", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi"));
      await Promise.all([a.nextMessage(b.user), b.nextMessage(a.user)]);

      const own = await world().rest(a.user).delete(`${app}/conversations/${b.user}`);
      await a.next(endsWith(`/conversations/${b.user}/clientdeleted`));
      const other = await world().admin().delete(`${app}/conversations/${a.user}`, { user_id: b.user });
      await b.next(endsWith(`/conversations/${a.user}/clientdeleted`));

      expect([own.status, other.status]).toEqual([201, 201]);
      expect(await list(a, "conversations")).toEqual([]);
      expect(await list(b, "conversations")).toEqual([]);
    });
  });
}

import { describe, expect, it } from "vitest";
import { textMessage } from "./messages.ts";
import { app, type World } from "./world.ts";

/** Receipts: P2 and S2. */
export function describeReceipts(world: () => World): void {
  const receiptTopic = (me: string, conversWith: string, id: string) =>
    `apps/${app}/users/${me}/messages/${conversWith}/${id}/update`;

  describe("receipts", () => {
    it("tell the sender that the message was received, live and in history", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi"));
      const { message_id: id } = (await b.nextMessage(a.user)).payload;

      await b.publish(receiptTopic(b.user, a.user, id), { status: 200 });
      const update = await a.next((frame) => frame.topic.endsWith(`/${id}/clientupdated`));

      expect(update.topic).toBe(`apps/${app}/users/${a.user}/messages/${b.user}/${id}/clientupdated`);
      expect((await world().history(a.user, b.user))[0]).toMatchObject({ message_id: id, status: 250 });
      expect((await world().history(b.user, a.user))[0]).toMatchObject({ message_id: id, status: 200 });
    });

    it("with any other status have no effect", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi"));
      const { message_id: id } = (await b.nextMessage(a.user)).payload;

      await b.publish(receiptTopic(b.user, a.user, id), { status: 300 });
      await b.send(a.user, textMessage("fence"));
      await a.nextMessage(b.user, "fence");

      expect(a.untaken((frame) => frame.topic.endsWith("/clientupdated"))).toEqual([]);
      expect((await world().history(a.user, b.user)).map((message) => message["status"])).not.toContain(250);
    });

    it("for somebody without a shared conversation reach nobody", async () => {
      const [a, b, stranger] = await world().people("a", "b", "stranger");
      await a.send(b.user, textMessage("hi"));
      const { message_id: id } = (await b.nextMessage(a.user)).payload;

      await stranger.publish(receiptTopic(stranger.user, a.user, id), { status: 200 }, 1);
      await b.send(a.user, textMessage("fence"));
      await a.nextMessage(b.user, "fence");

      expect(a.untaken((frame) => frame.topic.endsWith("/clientupdated"))).toEqual([]);
      expect((await world().history(a.user, b.user)).map((message) => message["status"])).not.toContain(250);
    });
  });
}

import { describe, expect, it } from "vitest";
import type { OldClient } from "./old-client.ts";
import type { ReceivedWebhook } from "./webhook-receiver.ts";
import type { World } from "./world.ts";

/** Presence: P5, P6, wills and the webhooks for backends. */
export function describePresence(world: () => World): void {
  const isPresence = (user: string, presence: "online" | "offline") => (webhook: ReceivedWebhook) =>
    webhook.body.event_type === "presence-change" &&
    webhook.body.user_id === user &&
    webhook.body.presence === presence;
  const hear = (client: OldClient, presence: "online" | "offline") =>
    world().webhooks.next(isPresence(client.user, presence));

  describe("presence", () => {
    it("is online when the client says so, and offline when its connection is cut", async () => {
      const [a] = await world().people("a");
      const online = await hear(a, "online");

      await a.cut();
      const offline = await hear(a, "offline");

      expect(online.body).toMatchObject({ event_type: "presence-change", app_id: "tilechat", data: true });
      expect(offline.body.createdAt).toBeGreaterThanOrEqual(online.body.createdAt);
    });

    it("knows a client whose id has dots, and is no word of an alphabet", async () => {
      const user = world().newUser("a");
      const a = await world().connect(user, { clientId: `web.${user}.1 ü` });
      await hear(a, "online");

      await a.cut();

      expect((await hear(a, "offline")).body.user_id).toBe(user);
    });

    it("is offline after a polite goodbye over WebSocket", async () => {
      const [a] = await world().people("a");
      await hear(a, "online");

      await a.end();

      expect((await hear(a, "offline")).body.user_id).toBe(a.user);
    });

    it("stays online until the last device has left", async () => {
      const [a] = await world().people("a");
      await hear(a, "online");
      const second = await world().connect(a.user);
      await second.publish(second.presenceTopic, { connected: true }, 1);

      await a.cut();
      // A user who left at the same time as the first device is heard of; so the grace of that device is over, too.
      const [fence] = await world().people("fence");
      await hear(fence, "online");
      await fence.cut();
      await hear(fence, "offline");
      const heardTooEarly = world().webhooks.received.some(isPresence(a.user, "offline"));
      await second.cut();

      expect(heardTooEarly).toBe(false);
      expect((await hear(a, "offline")).body.user_id).toBe(a.user);
      expect(world().webhooks.received.filter(isPresence(a.user, "online"))).toHaveLength(1);
    });

    it("says nothing of a page that is loaded again, whether its client id is a new one or the same", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, { text: "hi", type: "text" });
      await b.nextMessage(a.user, "hi");
      await hear(a, "online");

      await a.end();
      const again = await world().connect(a.user);
      await again.publish(again.presenceTopic, { connected: true }, 1);
      await again.cut();
      const last = await world().connect(a.user, { clientId: again.clientId });
      await last.publish(last.presenceTopic, { connected: true }, 1);
      const [fence] = await world().people("fence");
      await hear(fence, "online");
      await fence.cut();
      await hear(fence, "offline");

      const changes = (received: readonly ReceivedWebhook[]) =>
        received.filter(({ body }) => body.event_type === "presence-change" && body.user_id === a.user);
      expect(changes(world().webhooks.received).map(({ body }) => body.presence)).toEqual(["online"]);
      expect(b.untaken((frame) => frame.payload.presence === "offline")).toEqual([]);
    });
  });
}

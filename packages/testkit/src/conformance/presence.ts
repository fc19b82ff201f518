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

    it("is offline after a polite goodbye over WebSocket", async () => {
      const [a] = await world().people("a");
      await hear(a, "online");

      await a.end();

      expect((await hear(a, "offline")).body.user_id).toBe(a.user);
    });

    it("stays online until the last device has left", async () => {
      const [a] = await world().people("a");
      const second = await world().connect(a.user);
      // Each device causes one webhook, so after two of them both devices are online.
      await world().webhooks.until((received) => received.filter(isPresence(a.user, "online")).length === 2);

      await a.cut();
      await second.send(second.user, { text: "fence", type: "text" });
      await second.nextMessage(second.user, "fence");
      await world().webhooks.next(
        ({ body }) => body.event_type === "message-sent" && body.data.sender === second.user,
      );
      const heardTooEarly = world().webhooks.received.some(isPresence(a.user, "offline"));
      await second.cut();

      expect(heardTooEarly).toBe(false);
      expect((await hear(a, "offline")).body.user_id).toBe(a.user);
    });
  });
}

import { describe, expect, it } from "vitest";
import type { StoreWorld } from "./store-world.ts";

/** `PresenceStore`. */
export function describePresence(world: StoreWorld): void {
  const lease = (app: string, user: string, clientId: string, expiresAt: number) => ({
    ...{ app, user, clientId, expiresAt },
  });
  const gone = async (app: string, now: number) =>
    (await world.store.presence.expire(now)).filter((user) => user.app === app).map(({ user }) => user);

  describe("presence", () => {
    it("comes with the first lease of a user and not with the next", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;

      const first = await presence.renew(
        [lease(app, "ann", "phone", 100), lease(app, "ann", "web", 100), lease(app, "bob", "phone", 100)],
        10,
      );
      const second = await presence.renew([lease(app, "ann", "phone", 120)], 20);

      expect([first, second]).toEqual([[true, false, true], [false]]);
      expect(await presence.get(app, ["bob", "eve", "ann"], 99)).toEqual([
        { online: true, lastSeen: 99 },
        { online: false, lastSeen: 0 },
        { online: true, lastSeen: 99 },
      ]);
    });

    it("comes again when the leases before have run out", async () => {
      const app = world.fresh("app");
      await world.store.presence.renew([lease(app, "ann", "phone", 100)], 10);

      expect(await world.store.presence.renew([lease(app, "ann", "web", 200)], 100)).toEqual([true]);
    });

    it("is extended by a renewal and never shortened", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;
      await presence.renew([lease(app, "ann", "phone", 100)], 10);

      await presence.renew([lease(app, "ann", "phone", 50)], 20);
      const online = await presence.get(app, ["ann"], 60);
      await presence.renew([lease(app, "ann", "phone", 150)], 60);

      expect(online).toEqual([{ online: true, lastSeen: 60 }]);
      expect(await presence.get(app, ["ann"], 149)).toEqual([{ online: true, lastSeen: 149 }]);
    });

    it("goes with the last lease that is ended, and the moment is kept", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;
      await presence.renew([lease(app, "ann", "phone", 100), lease(app, "ann", "web", 100)], 10);

      const ended = [
        await presence.end(app, "ann", "phone", 20),
        await presence.end(app, "ann", "phone", 21),
        await presence.end(app, "ann", "web", 22),
        await presence.end(app, "eve", "web", 23),
      ];

      expect(ended.map(({ offline }) => offline)).toEqual([false, false, true, false]);
      expect(await presence.get(app, ["ann"], 30)).toEqual([{ online: false, lastSeen: 22 }]);
      expect(await gone(app, 1_000)).toEqual([]);
    });

    it("goes with the last lease that is ended even while an expired one is left", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;
      await presence.renew([lease(app, "ann", "phone", 40), lease(app, "ann", "web", 100)], 10);

      const ended = await presence.end(app, "ann", "web", 50);

      expect(ended).toEqual({ offline: true });
      expect(await gone(app, 60)).toEqual([]);
      expect(await presence.get(app, ["ann"], 60)).toEqual([{ online: false, lastSeen: 50 }]);
    });

    it("goes with the last lease that runs out, told once", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;
      await presence.renew(
        [lease(app, "ann", "phone", 40), lease(app, "ann", "web", 60), lease(app, "bob", "phone", 50)],
        10,
      );

      const told = [await gone(app, 40), await gone(app, 50), await gone(app, 60), await gone(app, 70)];

      expect(told).toEqual([[], ["bob"], ["ann"], []]);
      expect(await presence.get(app, ["ann", "bob"], 80)).toEqual([
        { online: false, lastSeen: 60 },
        { online: false, lastSeen: 50 },
      ]);
    });

    it("is over at the end of the lease, before anybody has looked for it", async () => {
      const app = world.fresh("app");
      await world.store.presence.renew([lease(app, "ann", "phone", 40)], 10);

      expect(await world.store.presence.get(app, ["ann"], 40)).toEqual([{ online: false, lastSeen: 40 }]);
    });

    it("expires however many leases there are", async () => {
      const app = world.fresh("app");
      const users = Array.from({ length: 1_200 }, (_, index) => `user-${index}`);
      await world.store.presence.renew(
        users.map((user) => lease(app, user, "phone", 100)),
        10,
      );

      expect((await gone(app, 100)).toSorted()).toEqual(users.toSorted());
    });
  });
}

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

    it("does not last longer than its rule when the clock is set back, nor tells of a time to come", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;
      const day = 24 * 60 * 60_000;
      await presence.renew(
        [lease(app, "ann", "phone", day + 100), lease(app, "bob", "phone", day + 100)],
        day,
      );
      await presence.end(app, "bob", "phone", day + 50);

      await presence.bound(day / 2);
      const seen = await presence.get(app, ["ann", "bob"], 10);
      const left = await gone(app, day / 2);
      await presence.renew([lease(app, "bob", "web", 130)], 30);
      await presence.end(app, "bob", "web", 60);

      expect(seen).toEqual([
        { online: true, lastSeen: 10 },
        { online: false, lastSeen: 10 },
      ]);
      expect(left).toEqual(["ann"]);
      expect(await presence.get(app, ["ann", "bob"], day)).toEqual([
        { online: false, lastSeen: day / 2 },
        { online: false, lastSeen: 60 },
      ]);
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

    it("tells the leases that run out before a moment, the first ones first, and changes nothing", async () => {
      const app = world.fresh("app");
      const { presence } = world.store;
      // Leases that other tests left would be in between.
      await presence.expire(Number.MAX_SAFE_INTEGER);
      const leases = [
        lease(app, "ann", "phone", 40),
        lease(app, "ann", "web", 10),
        lease(app, "bob", "phone", 20),
        lease(app, "cid", "phone", 50),
        lease(app, "ann", "watch", 30),
      ];
      await presence.renew(leases, 0);
      const told = async (before: number, limit: number) =>
        (await presence.expiring(before, limit)).map(({ user, clientId }) => `${user} ${clientId}`);

      const all = ["ann web", "bob phone", "ann watch", "ann phone", "cid phone"];
      expect(await told(51, 10)).toEqual(all);
      expect(await told(50, 10)).toEqual(all.slice(0, 4));
      for (const limit of [1, 2, 3]) expect(await told(51, limit)).toEqual(all.slice(0, limit));
      expect(await presence.expiring(11, 10)).toEqual([leases[1]]);
      expect(await told(10, 10)).toEqual([]);
      await presence.renew([lease(app, "ann", "web", 45)], 5);
      expect(await told(51, 2)).toEqual(["bob phone", "ann watch"]);
      expect((await gone(app, 60)).toSorted()).toEqual(["ann", "bob", "cid"]);
      expect(await told(60, 10)).toEqual([]);
    });

    it("tells the leases of a client id, whosever they are", async () => {
      const [app, other, clientId] = [world.fresh("app"), world.fresh("app"), world.fresh("client")];
      const { presence } = world.store;
      const own = [
        lease(app, "ann", clientId, 100),
        lease(app, "bob", clientId, 20),
        lease(other, "ann", clientId, 90),
      ];
      await presence.renew([...own, lease(app, "ann", `${clientId}-2`, 100)], 10);

      const told = await presence.ofClient(clientId);
      await presence.end(app, "ann", clientId, 30);

      const byPlace = (a: (typeof own)[number], b: (typeof own)[number]) =>
        `${a.app} ${a.user}` < `${b.app} ${b.user}` ? -1 : 1;
      expect(told.toSorted(byPlace)).toEqual(own.toSorted(byPlace));
      expect((await presence.ofClient(clientId)).toSorted(byPlace)).toEqual(own.slice(1).toSorted(byPlace));
      expect(await presence.ofClient(world.fresh("client"))).toEqual([]);
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

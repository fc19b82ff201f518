import type { RevocationRecord, ServerKeyRecord } from "@chat21/auth";
import type { InstanceRecord, UserRecord } from "@chat21/people";
import { describe, expect, it } from "vitest";
import { sampleTime } from "./samples.ts";
import type { StoreWorld } from "./store-world.ts";

/** Users, revocations, server keys and push registrations. */
export function describePeople(world: StoreWorld): void {
  describe("users", () => {
    const user = (app: string, id: string, over: Partial<UserRecord> = {}): UserRecord => ({
      ...{ app, id, profile: `{"fullname":"${id}"}`, createdAt: sampleTime, updatedAt: sampleTime, ...over },
    });

    it("are put, replaced, read and deleted by app and id", async () => {
      const app = world.fresh("app");
      const { users } = world.store;
      await users.put(user(app, "ann"));
      const second = user(app, "ann", { profile: '{"fullname":"Ann","x":null}', updatedAt: sampleTime + 5 });
      await users.put(second);

      expect(await users.get(app, "ann")).toEqual(second);
      expect(await users.get(`${app}-other`, "ann")).toBeNull();
      expect(await users.delete(app, "ann")).toBe(true);
      expect(await users.delete(app, "ann")).toBe(false);
      expect(await users.get(app, "ann")).toBeNull();
    });

    it("are listed ascending by id in pages", async () => {
      const app = world.fresh("app");
      const ids = ["b", "Z", "a", "_", "c"];
      for (const id of ids) await world.store.users.put(user(app, id));

      const first = await world.store.users.list(app, 3);
      const rest = await world.store.users.list(app, 3, first.at(-1)?.id);

      expect([...first, ...rest]).toEqual(["Z", "_", "a", "b", "c"].map((id) => user(app, id)));
      expect(await world.store.users.list(app, 3, "c")).toEqual([]);
      expect(await world.store.users.list(`${app}-other`, 3)).toEqual([]);
    });

    it("are forgotten with their registrations, leases and when they were seen; others stay", async () => {
      const app = world.fresh("app");
      const { users, instances, presence } = world.store;
      for (const id of ["ann", "bob"]) {
        await users.put(user(app, id));
        await instances.put({ app, user: id, instanceId: `${id}-1`, data: "{}", updatedAt: sampleTime });
        await instances.put({ app, user: id, instanceId: `${id}-2`, data: "{}", updatedAt: sampleTime });
        const leases = ["one", "two"].map((clientId) => ({
          app,
          user: id,
          clientId,
          expiresAt: sampleTime + 60,
        }));
        await presence.renew(leases, sampleTime);
      }
      await presence.renew([{ app, user: "cid", clientId: "x", expiresAt: sampleTime + 60 }], sampleTime);
      await presence.end(app, "cid", "x", sampleTime + 1);

      const erased = [
        await users.erase(app, "ann"),
        await users.erase(app, "cid"),
        await users.erase(app, "ann"),
      ];

      expect(erased).toEqual([
        { profile: true, instances: 2 },
        { profile: false, instances: 0 },
        { profile: false, instances: 0 },
      ]);
      expect(await users.get(app, "ann")).toBeNull();
      expect(await instances.list(app, "ann")).toEqual([]);
      expect(await presence.get(app, ["ann", "bob", "cid"], sampleTime)).toEqual([
        { online: false, lastSeen: 0 },
        { online: true, lastSeen: sampleTime },
        { online: false, lastSeen: 0 },
      ]);
      expect(await users.get(app, "bob")).toEqual(user(app, "bob"));
      expect(await instances.list(app, "bob")).toHaveLength(2);
    });
  });

  describe("revocations", () => {
    it("are listed while they have an effect, and one that is added again is still one", async () => {
      const app = world.fresh("app");
      const { revocations } = world.store;
      const ofToken: RevocationRecord = {
        app,
        user: "ann",
        tokenId: "t1",
        issuedBefore: null,
        expiresAt: 100,
      };
      const ofAll: RevocationRecord = { app, user: "ann", tokenId: null, issuedBefore: 55, expiresAt: 200 };
      const ofBob: RevocationRecord = { ...ofToken, user: "bob" };
      for (const revocation of [ofToken, ofAll, ofBob, { ...ofToken, expiresAt: 150 }]) {
        await revocations.add(revocation);
      }
      const listed = async (now: number) => {
        const found = (await revocations.list(now)).filter((revocation) => revocation.app === app);
        return found.toSorted((a, b) => a.user.localeCompare(b.user) || a.expiresAt - b.expiresAt);
      };

      expect(await listed(99)).toEqual([{ ...ofToken, expiresAt: 150 }, ofAll, ofBob]);
      expect(await listed(100)).toEqual([{ ...ofToken, expiresAt: 150 }, ofAll]);
      expect(await listed(150)).toEqual([ofAll]);
      expect(await listed(200)).toEqual([]);
    });
  });

  describe("server keys", () => {
    const keyOf = (app: string, id: string, over: Partial<ServerKeyRecord> = {}): ServerKeyRecord => ({
      ...{ app, id, hash: `${app} ${id}`, user: "shop", createdAt: sampleTime },
      ...{ expiresAt: null, lastUsedAt: null, ...over },
    });

    it("are found by hash, and listed by app, oldest first", async () => {
      const app = world.fresh("app");
      const { serverKeys } = world.store;
      const [second, third] = [keyOf(app, "b"), keyOf(app, "c")];
      const first = keyOf(app, "z", { createdAt: sampleTime - 1, expiresAt: sampleTime + 5, user: "a%7Cb" });
      for (const key of [third, second, first, keyOf(`${app}-other`, "b")]) await serverKeys.add(key);

      expect(await serverKeys.find(first.hash)).toEqual(first);
      expect(await serverKeys.find("another")).toBeNull();
      expect(await serverKeys.list(app)).toEqual([first, second, third]);
      expect(await serverKeys.list(`${app}-none`)).toEqual([]);
    });

    it("remember their last use, and are gone once they are removed", async () => {
      const app = world.fresh("app");
      const { serverKeys } = world.store;
      const key = keyOf(app, "a");
      await serverKeys.add(key);

      await serverKeys.markUsed(key.hash, sampleTime + 9);

      expect(await serverKeys.find(key.hash)).toEqual({ ...key, lastUsedAt: sampleTime + 9 });
      expect(await serverKeys.remove(`${app}-other`, "a")).toBe(false);
      expect(await serverKeys.remove(app, "a")).toBe(true);
      expect(await serverKeys.remove(app, "a")).toBe(false);
      await serverKeys.markUsed(key.hash, sampleTime + 10);
      expect(await serverKeys.find(key.hash)).toBeNull();
    });
  });

  describe("push registrations", () => {
    it("are put, replaced and listed by user", async () => {
      const app = world.fresh("app");
      const { instances } = world.store;
      const instance = (user: string, instanceId: string, updatedAt = 1): InstanceRecord => ({
        ...{ app, user, instanceId, data: `{"platform":"ionic","n":${updatedAt}}`, updatedAt },
      });
      for (const one of [instance("ann", "phone"), instance("ann", "web"), instance("bob", "phone")]) {
        await instances.put(one);
      }

      await instances.put(instance("ann", "phone", 2));

      expect(await instances.list(app, "ann")).toEqual([instance("ann", "phone", 2), instance("ann", "web")]);
      expect(await instances.list(app, "eve")).toEqual([]);
    });
  });
}

import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { World } from "./world.ts";

/** Users with ids of identity providers: escaped on the wire (ADR-0016), as they are everywhere else. */
export function describeProviderIds(world: () => World): void {
  /** A new user of these names; the parts behind are plain, and the same in both forms. */
  const newPerson = (outside: string, wire: string) => {
    const own = randomUUID().slice(0, 8);
    return { outside: `${outside}${own}`, wire: `${wire}${own}` };
  };
  const connect = ({ outside, wire }: { outside: string; wire: string }) =>
    world().connect(wire, { token: world().token(outside, { wireId: wire }) });

  describe("ids of identity providers", () => {
    it.each([
      ["auth0|5f7c", "auth0^7C5f7c"],
      ["john.doe@example.com", "john^2Edoe@example^2Ecom"],
      ["+39333", "^2B39333"],
    ])(
      "%s writes and is written to, over MQTT and REST, and backends hear of that id",
      async (outside, wire) => {
        const person = newPerson(outside, wire);
        const client = await connect(person);
        const [bob] = await world().people("bob");

        await client.send(bob.user, { text: "from the provider" }, 1);
        const { payload } = await bob.nextMessage(person.wire, "from the provider");
        await bob.send(payload.sender, { text: "and back" }, 1);
        await client.nextMessage(bob.user, "and back");
        const rest = world().rest(bob.user);
        const path = `v1/tilechat/conversations/${encodeURIComponent(person.outside)}`;
        const posted = await rest.post(`${path}/messages`, { text: "over REST" });
        const heard = await client.nextMessage(bob.user, "over REST");

        expect(payload.sender).toBe(person.wire);
        expect(posted.status).toBe(201);
        expect(posted.body.message.recipient).toBe(person.outside);
        expect(heard.payload.recipient).toBe(person.wire);
        const hook = await world().webhooks.next(
          ({ body }) => body.event_type === "message-sent" && body.data.sender === person.outside,
        );
        expect(hook.body).toMatchObject({ recipient_id: bob.user, data: { text: "from the provider" } });
        const events = await rest.get(`${path}/events`);
        expect(new Set(events.body.events.map((event: { sender: string }) => event.sender))).toEqual(
          new Set([person.outside, bob.user]),
        );
      },
    );

    it("are members of groups, and have profiles and lists of their own", async () => {
      const person = newPerson("auth0|", "auth0^7C");
      const client = await connect(person);
      const [owner] = await world().people("owner");
      const group = await world().createGroup(owner.user, [person.outside]);
      await client.send(group, { text: "hello team", channel_type: "group" }, 1);
      const { payload } = await owner.nextMessage(group, "hello team");
      const admin = world().admin();
      const profile = `v1/tilechat/users/${encodeURIComponent(person.outside)}`;

      const put = await admin.put(profile, { firstname: "Ada" });
      const list = await admin.get(`tilechat/${encodeURIComponent(person.outside)}/conversations`);
      const states = await admin.get(`v1/tilechat/conversations?user=${encodeURIComponent(person.outside)}`);

      expect(payload.sender).toBe(person.wire);
      expect(put.body).toMatchObject({ id: person.outside, fullname: person.outside });
      expect(list.body.result).toMatchObject([{ conversWith: group, sender: person.wire }]);
      expect(states.body.conversations).toMatchObject([{ conversWith: group }]);
    });

    it("that are the wire form of another's are refused: nobody gets another's name by choosing it", async () => {
      const person = newPerson("auth0|", "auth0^7C");
      const stolen = world().token(person.wire, { wireId: person.wire });

      const call = await fetch(`${world().topology.apiUrl}/v1/tilechat/conversations`, {
        headers: { authorization: stolen },
      });
      const issued = await world()
        .admin()
        .post(`v1/tilechat/users/${encodeURIComponent(person.wire)}/tokens`, {});

      expect(call.status).toBe(401);
      expect(issued.status).toBe(400);
    });
  });
}

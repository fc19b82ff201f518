import { describe, expect, it } from "vitest";
import { allOf, as, type Json, World } from "./world.ts";

const quiet = (text: string) => ({ text, attributes: { updateconversation: false } });

describe("A message with `updateconversation: false`", () => {
  it("is delivered and stored, and leaves the list as it is", async () => {
    const world = await World.start();
    const [ann, bob] = await world.people("ann", "bob");
    await ann.send("bob", { text: "loud" });

    await ann.send("bob", quiet("quiet"));

    expect(bob.texts()).toEqual(["loud", "quiet"]);
    expect(await world.textsOf("bob", "ann")).toEqual(["loud", "quiet"]);
    expect(await world.list("bob")).toMatchObject([{ last_message_text: "loud" }]);
  });

  it("makes no conversation in the list when it is the first", async () => {
    const world = await World.start();

    await world.send("ann", "bob", quiet("quiet"));

    expect(await world.list("ann")).toEqual([]);
    expect(await world.list("bob")).toEqual([]);
    expect(await world.textsOf("bob", "ann")).toEqual(["quiet"]);
  });

  it("neither counts as unread nor takes a conversation out of the archive", async () => {
    const world = await World.start();
    const [bob] = await world.people("bob");
    await world.send("ann", "bob", { text: "loud" });
    await bob.update("ann", { is_new: false });
    await bob.archive("ann");
    bob.forget();

    await world.send("ann", "bob", quiet("quiet"));

    expect(bob.kinds).toEqual(["message-added"]);
    expect(await world.list("bob", true)).toHaveLength(1);
    const states: Json[] = (await allOf(world.engine.conversations.states(as("bob"), "bob", null, {}))).map(
      (text) => JSON.parse(text),
    );
    expect(states).toMatchObject([{ unread: 0, archived: true, head: 2 }]);
  });

  it.each([true, null, 0, "", "false", undefined])(
    "is a message like any other with %j instead",
    async (value) => {
      const world = await World.start();

      await world.send("ann", "bob", { text: "x", attributes: { updateconversation: value } });

      expect(await world.list("bob")).toHaveLength(1);
    },
  );
});

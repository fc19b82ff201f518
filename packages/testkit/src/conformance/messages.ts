import { describe, expect, it } from "vitest";
import type { OldClient } from "./old-client.ts";
import { app, type World } from "./world.ts";

/** Direct messages: P1 in, S1 out, history. */
export function describeMessages(world: () => World): void {
  describe("direct messages", () => {
    it("reach the recipient as delivered and the sender as sent, with the same id and number", async () => {
      const [a, b] = await world().people("a", "b");

      await a.send(b.user, textMessage("hi"));
      const own = (await a.nextMessage(b.user)).payload;
      const received = (await b.nextMessage(a.user)).payload;

      expect(own).toMatchObject({
        text: "hi",
        sender: a.user,
        recipient: b.user,
        app_id: app,
        status: 100,
        seq: 1,
      });
      expect(received).toMatchObject({ ...own, status: 150 });
    });

    it("reach every device of both people", async () => {
      const [a, b] = await world().people("a", "b");
      const secondA = await world().connect(a.user);
      const secondB = await world().connect(b.user);

      await a.send(b.user, textMessage("everywhere"));

      const copies = await Promise.all([
        a.nextMessage(b.user),
        secondA.nextMessage(b.user),
        b.nextMessage(a.user),
        secondB.nextMessage(a.user),
      ]);
      expect(new Set(copies.map(({ payload }) => payload.message_id)).size).toBe(1);
    });

    it("work the same over TCP", async () => {
      const [a] = await world().people("a");
      const b = await world().connect(world().newUser("b"), { url: world().topology.mqttTcpUrl });

      await a.send(b.user, textMessage("over the wire"));
      await b.nextMessage(a.user, "over the wire");
      await b.send(a.user, textMessage("and back"), 1);

      expect((await a.nextMessage(b.user, "and back")).payload.seq).toBe(2);
    });

    it("are as large as those of the original, over MQTT and over REST", async () => {
      const [a, b] = await world().people("a", "b");
      const text = "x".repeat(100_000);

      await a.send(b.user, { ...textMessage("large"), text }, 1);
      expect((await b.nextMessage(a.user)).payload.text).toHaveLength(100_000);
      await world()
        .admin()
        .post(`${app}/messages`, {
          ...{ sender_id: b.user, recipient_id: a.user, recipient_fullname: "A", sender_fullname: "B" },
          text: text.slice(1),
        });

      await a.nextMessage(b.user);
      expect((await a.nextMessage(b.user)).payload.text).toHaveLength(99_999);
    });

    it("pass with whatever values other clients read, over MQTT and over REST", async () => {
      const [a, b] = await world().people("a", "b");
      const names = {
        sender_id: b.user,
        recipient_id: a.user,
        recipient_fullname: "A",
        sender_fullname: "B",
      };

      for (const [key, value] of foreignValues) {
        await a.send(b.user, { ...textMessage(`${key}`), [key]: value }, 1);
        expect((await b.nextMessage(a.user)).payload[key]).toEqual(value);
        await a.nextMessage(b.user);
        if (!restKeys.includes(key)) continue;
        const answer = await world()
          .admin()
          .post(`${app}/messages`, { ...names, text: "hi", [key]: value });
        expect([key, value, answer.status]).toEqual([key, value, 200]);
        expect((await a.nextMessage(b.user)).payload[key]).toEqual(value);
        await b.nextMessage(a.user);
      }
    }, 60_000);

    it("have the server's time when their own is none", async () => {
      const [a, b] = await world().people("a", "b");
      const now = Date.now();

      for (const timestamp of [true, {}, [], "yesterday", "", null, 0]) {
        await a.send(b.user, textMessage("hi", { timestamp, attributes: {} }), 1);
        const { payload } = await b.nextMessage(a.user);
        expect(Math.abs(payload.timestamp - now)).toBeLessThan(600_000);
      }
    });

    it("may come on the topic of clients before 0.1.8", async () => {
      const [a, b] = await world().people("a", "b");

      await a.publish(`apps/${app}/users/${a.user}/messages/${b.user}/outgoing`, textMessage("hi"));

      expect((await b.nextMessage(a.user)).payload).toMatchObject({
        text: "hi",
        sender: a.user,
        status: 150,
      });
      expect((await a.nextMessage(b.user)).payload).toMatchObject({ text: "hi", status: 100 });
    });

    it("to oneself arrive twice, as sent and as delivered, and are stored once", async () => {
      const [a] = await world().people("a");

      await a.send(a.user, textMessage("note"));
      const copies = [(await a.nextMessage(a.user)).payload, (await a.nextMessage(a.user)).payload];

      expect(copies.map((copy) => copy.status)).toEqual([100, 150]);
      expect(copies[0].message_id).toBe(copies[1].message_id);
      expect(await world().history(a.user, a.user)).toHaveLength(1);
    });

    it("keep keys that nobody knows", async () => {
      const [a, b] = await world().people("a", "b");
      const extra = { language: "it", custom: { deep: [1, null, { "weird key": 1e21 }] }, "": "empty" };

      await a.send(b.user, textMessage("extra", extra));

      expect((await b.nextMessage(a.user)).payload).toMatchObject(extra);
      expect((await world().history(b.user, a.user))[0]).toMatchObject(extra);
    });

    it("of 500 in a burst arrive and are stored in the order in which they were sent", async () => {
      const [a, b] = await world().people("a", "b");
      const texts = Array.from({ length: 500 }, (_, index) => `m${index}`);

      for (const text of texts) void a.send(b.user, textMessage(text));
      const received: string[] = [];
      for (let index = 0; index < texts.length; index++)
        received.push((await b.nextMessage(a.user)).payload.text);
      const stored = await readAll(world(), a, b);

      expect(received).toEqual(texts);
      expect(stored.map((message) => message["text"])).toEqual(texts);
      expect(stored.map((message) => message["seq"])).toEqual(texts.map((_, index) => index + 1));
      const times = stored.map((message) => message["timestamp"] as number);
      expect(times.every((time, index) => index === 0 || time > (times[index - 1] as number))).toBe(true);
    });

    it("with updateconversation false are delivered and stored, and leave the list as it is", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("listed"));
      await b.nextMessage(a.user, "listed");

      await a.send(b.user, textMessage("unlisted", { attributes: { updateconversation: false } }));
      await b.nextMessage(a.user, "unlisted");

      const list = await world().rest(b.user).get(`${app}/${b.user}/conversations`);
      expect(list.body.result).toHaveLength(1);
      expect(list.body.result[0].last_message_text).toBe("listed");
      expect(await world().history(b.user, a.user)).toHaveLength(2);
    });

    it("with the same client_message_id are stored once and answered alike", async () => {
      const [a, b] = await world().people("a", "b");
      const message = textMessage("once", { client_message_id: "key-1" });

      await a.send(b.user, message, 1);
      const first = (await a.nextMessage(b.user)).payload;
      await a.send(b.user, message, 1);
      const second = (await a.nextMessage(b.user)).payload;
      await a.send(b.user, textMessage("after"), 1);
      await b.nextMessage(a.user, "after");

      expect(second.message_id).toBe(first.message_id);
      expect(await world().history(a.user, b.user)).toHaveLength(2);
      await b.nextMessage(a.user, "once");
      expect(b.untaken((frame) => frame.payload.text === "once")).toEqual([]);
    });

    it("with the same tempUID and text are stored once, with another tempUID twice", async () => {
      const [a, b] = await world().people("a", "b");
      const message = (tempUID: string) => ({ ...textMessage("ok"), attributes: { tempUID } });

      for (const qos of [1, 0, 1] as const) await a.send(b.user, message("T-1"), qos);
      await a.send(b.user, message("T-2"));

      // Every time the sender gets its copy; the recipient gets one for each message.
      for (let copy = 0; copy < 4; copy++) await a.nextMessage(b.user, "ok");
      const received = [await b.nextMessage(a.user), await b.nextMessage(a.user)];
      expect(received.map(({ payload }) => payload.seq)).toEqual([1, 2]);
      expect((await world().history(a.user, b.user)).map(({ text }) => text)).toEqual(["ok", "ok"]);
    });

    it("are never retained", async () => {
      const [a, b] = await world().people("a", "b");
      await a.publish(`apps/${app}/outgoing/users/${a.user}/messages/${b.user}/outgoing`, textMessage("now"));
      await b.nextMessage(a.user, "now");

      const later = await world().connect(b.user);
      await later.subscribe(`apps/${app}/users/${b.user}/messages/${a.user}/clientadded`);
      await a.send(b.user, textMessage("later"));
      await later.nextMessage(a.user, "later");

      expect(later.untaken((frame) => frame.retain || frame.payload.text === "now")).toEqual([]);
    });
  });

  describe("a connection", () => {
    it("is closed when its client id connects again", async () => {
      const user = world().newUser("a");
      const first = await world().connect(user, { clientId: user });
      const talk = async () => {
        const second = await world().connect(user, { clientId: user });
        await first.closed;
        await second.send(user, textMessage("still here"));
        return (await second.nextMessage(user)).payload.text;
      };

      const heard = world().topology.takeovers === "safe" ? talk() : talk().catch(talk).catch(talk);

      await first.closed;
      expect(await heard).toBe("still here");
    }, 60_000);
  });
}

/** Values that no client of ours sends, and that the server passes on as they are. */
const foreignValues = [
  ["text", 5],
  ["text", { html: "<b>hi</b>" }],
  ["text", null],
  ["type", 7],
  ["sender_fullname", 12],
  ["recipient_fullname", { first: "Bee" }],
  ["channel_type", "whatsapp"],
  ["channel_type", 3],
  ["attributes", "a text"],
  ["attributes", [1, "two"]],
  ["attributes", 4],
  ["metadata", 1.5],
  ["metadata", "src"],
  ["metadata", [{ src: "a.png" }]],
  ["language", { code: "it" }],
  ["group", ""],
  ["group", false],
  ["device", { os: "ios" }],
  ["device", "Ann's phone"],
  ["senderAuthInfo", { authType: "USER" }],
] as const satisfies readonly (readonly [string, unknown])[];

/** The keys that the existing REST route takes. */
const restKeys: readonly string[] = ["text", "type", "channel_type", "attributes", "metadata"];

/** A text message, as existing clients build it. */
export function textMessage(text: string, more: object = {}): object {
  return {
    text,
    type: "text",
    recipient_fullname: "Bee",
    sender_fullname: "Aaa",
    attributes: { tempUID: `temp-${text}`, lang: "en" },
    metadata: null,
    channel_type: "direct",
    ...more,
  };
}

/** Reads a whole direct conversation page by page. Returns it oldest first. */
async function readAll(
  world: World,
  a: OldClient,
  b: OldClient,
): Promise<readonly Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for (let before: number | undefined; ; ) {
    const query = before === undefined ? "" : `&before=${before}`;
    const path = `${app}/${a.user}/conversations/${b.user}/messages?limit=200${query}`;
    const page: Record<string, unknown>[] = (await world.rest(a.user).get(path)).body.result;
    if (page.length === 0) return all.reverse();
    all.push(...page);
    before = page.at(-1)?.["seq"] as number;
  }
}

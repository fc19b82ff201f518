import type { Kind, KindCommand } from "@chat21/engine";
import { eventRules } from "@chat21/engine";
import { conversWithOf, defineEventKind, topics } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Reducer } from "../src/testing.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

interface Star {
  readonly type: string;
  readonly request_id: string;
  readonly conversWith: string;
  readonly seq: number;
}

const schema = z.object({
  type: z.literal("star"),
  request_id: z.string(),
  conversWith: z.string(),
  seq: z.int(),
});

/** A kind that this version of the SDK does not have: members give stars to messages. */
const starred: Kind = {
  wire: defineEventKind({
    code: 61,
    data: z.looseObject({ seq: z.number() }),
    command: { type: "star", schema },
  }),
  listed: false,
  data: ({ body }) => body,
  command: {
    targets: ({ seq }) => [seq],
    may() {},
    decide: ({ user }, { seq }, context) => ({
      events: [{ type: "starred", sender: user, messageId: context.newId(), body: JSON.stringify({ seq }) }],
    }),
  } satisfies KindCommand<Star>,
  amends: {
    targets: ({ body }) => [JSON.parse(body).seq],
    apply: (before) => ({ overlay: { ...before, stars: Number(before?.["stars"] ?? 0) + 1 } }),
  },
  tell({ app, conversation, seq, timestamp, sender, body }, state, outlet) {
    for (const { user } of state.members.values()) {
      const conversWith = conversWithOf(conversation, user);
      const head = { type: "starred", conversWith, seq, epoch: outlet.epoch, timestamp, sender };
      const payload = JSON.stringify({ ...head, data: JSON.parse(body) });
      outlet.deliver(user, topics.event(app, user, conversWith), payload);
    }
  },
};

/** The SDK's side of it, as a later version may have it. */
const stars: Reducer = (conversation, event) => {
  const seq = Number(event.data?.["seq"]);
  conversation.amend(event, [[seq, seq]], (message) => ({
    ...message,
    attributes: { ...message.attributes, stars: Number(message.attributes["stars"] ?? 0) + 1 },
  }));
};

const openStarServer = () => openServer({ kinds: { ...eventRules, starred } });
const star = (seq: number) => ({ type: "star", conversWith: "alice", seq });

describe("an SDK on a server with a kind of event that the SDK does not know", () => {
  test("tells the event in its order, live and after a time away, and goes on with messages", async () => {
    const server = await openStarServer();
    const chat = await openChat(server);
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "1" });
    await server.command("bob", star(1));
    await server.send("bob", "alice", { text: "2" });
    await recorder.until(() => recorder.texts("bob").length === 2);

    server.isReachable = false;
    await recorder.until(() => chat.status === "reconnecting");
    server.edge.isReachable = true;
    await server.send("bob", "alice", { text: "3" });
    await server.command("bob", star(3));
    await server.send("bob", "alice", { text: "4" });
    await recorder.until(() => recorder.texts("bob").length === 4);

    const told = recorder.events.flatMap(({ name, event }) => {
      if (name === "message") return [(event as { message: { seq: number } }).message.seq];
      return name === "event" ? [(event as { seq: number }).seq] : [];
    });
    expect(told).toEqual([1, 2, 3, 4, 5, 6]);
    expect(recorder.all("event")).toMatchObject([
      { type: "starred", seq: 2, data: { seq: 1 } },
      { type: "starred", seq: 5, data: { seq: 3 } },
    ]);
    expect(recorder.all("error")).toEqual([]);
    expect(chat.conversation("bob").messages.map(({ text }) => text)).toEqual(["1", "2", "3", "4"]);
    expect(chat.conversations.get("bob")).toMatchObject({ unread: 4, lastMessage: { text: "4" }, head: 6 });
  });

  test("reads its history, without it and with what it makes of messages left alone", async () => {
    const server = await openStarServer();
    await server.send("bob", "alice", { text: "1" });
    await server.command("bob", star(1));
    await server.send("bob", "alice", { text: "2" });
    const chat = await openChat(server);

    const { messages } = await chat.conversation("bob").history();

    expect(messages.map(({ seq, text }) => [seq, text])).toEqual([
      [1, "1"],
      [3, "2"],
    ]);
    expect(chat.conversation("bob").messages.map(({ seq }) => seq)).toEqual([1, 3]);
  });
});

describe("a kind that is one entry in the table of reducers", () => {
  test("changes the messages that are held, each event once, also after a time away", async () => {
    const server = await openStarServer();
    const chat = await openChat(server, "alice", {}, { furtherKinds: { starred: stars } });
    const recorder = new Recorder(chat);
    await server.send("bob", "alice", { text: "1" });
    server.edge.fateOf = () => "twice";
    await server.command("bob", star(1));
    await recorder.until(() => recorder.all("event").length === 1);

    server.edge.fateOf = () => "lose";
    await server.send("bob", "alice", { text: "2" });
    server.edge.fateOf = () => "deliver";
    await server.command("bob", star(1));
    server.edge.drop();
    await recorder.until(() => recorder.all("event").length === 2);

    expect(chat.conversation("bob").messages.map(({ attributes }) => attributes["stars"])).toEqual([
      2,
      undefined,
    ]);
    const changed = recorder.all("messageUpdated").map(({ message }) => message.attributes["stars"]);
    expect(changed).toEqual([1, 2]);
  });

  test("skips what a message already knows: the server answers it as it is now", async () => {
    const server = await openStarServer();
    await server.send("bob", "alice", { text: "1" });
    await server.command("bob", star(1));
    const chat = await openChat(server, "alice", {}, { furtherKinds: { starred: stars } });
    const recorder = new Recorder(chat);
    // The star before is in the overlay of the message that was answered.
    expect(chat.conversation("bob").messages[0]?.attributes).toEqual({});

    await server.command("bob", star(1));
    await recorder.until(() => recorder.all("event").length === 1);

    expect(chat.conversation("bob").messages[0]?.attributes).toEqual({ stars: 1 });
  });
});

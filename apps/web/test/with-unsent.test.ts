import type { ConversationSummary } from "@chat21/client-sdk";
import { expect, test } from "vitest";
import { withUnsent } from "../src/conversations/with-unsent.ts";
import { message } from "./message-fixture.ts";

const summary = (conversWith: string, timestamp: number): ConversationSummary => ({
  conversWith,
  kind: "direct",
  title: conversWith,
  lastMessage: timestamp === 0 ? null : message({ seq: 1, conversWith, timestamp }),
  timestamp,
  unread: 0,
  markedUnread: false,
  archived: false,
  head: 1,
  own: { delivered: 0, read: 0 },
  counterpart: null,
});
const unsent = (conversWith: string, text: string, timestamp: number) =>
  message({ seq: null, conversWith, text, timestamp, own: true, state: "queued" });

test("what waits or has failed is the last message of its conversation, also of one that has no other", () => {
  const list = [summary("new", 20), summary("old", 10)];

  const active = withUnsent(
    list,
    [unsent("old", "one", 30), unsent("old", "two", 31), unsent("nobody", "hello", 25)],
    (conversWith) => list.find((one) => one.conversWith === conversWith) ?? summary(conversWith, 0),
    false,
  );

  expect(active.map(({ conversWith, lastMessage }) => [conversWith, lastMessage?.text])).toEqual([
    ["old", "two"],
    ["nobody", "hello"],
    ["new", ""],
  ]);
});

test("a list without anything unsent is the same list, and the archive gets no new conversations", () => {
  const list = [summary("new", 20)];

  expect(withUnsent(list, [], () => summary("x", 0), false)).toBe(list);
  expect(withUnsent(list, [unsent("nobody", "hello", 25)], () => summary("nobody", 0), true)).toEqual(list);
});

import type { ConversationSummary } from "@chat21/client-sdk";
import { describe, expect, test } from "vitest";
import { filterConversations } from "../src/conversations/filter-conversations.ts";
import { message } from "./message-fixture.ts";

function summary(
  conversWith: string,
  title: string,
  changes: Partial<ConversationSummary> = {},
): ConversationSummary {
  return {
    conversWith,
    title,
    kind: "direct",
    lastMessage: null,
    timestamp: 0,
    unread: 0,
    markedUnread: false,
    archived: false,
    head: 0,
    own: { delivered: 0, read: 0 },
    counterpart: null,
    ...changes,
  };
}

const list = [
  summary("jose", "José Núñez", { unread: 2 }),
  summary("grace", "Grace Hopper", { lastMessage: message({ seq: 1, text: "The moth is in the log book" }) }),
  summary("group-crew", "Release crew", { markedUnread: true }),
];
const ids = (...args: Parameters<typeof filterConversations>) =>
  filterConversations(...args).map((one) => one.conversWith);

describe("filterConversations", () => {
  test("finds every word in title, id or last message, without case and accents", () => {
    expect(ids(list, "all", "NUNEZ", null)).toEqual(["jose"]);
    expect(ids(list, "all", "  hopper moth", null)).toEqual(["grace"]);
    expect(ids(list, "all", "group-", null)).toEqual(["group-crew"]);
    expect(ids(list, "all", "hopper crew", null)).toEqual([]);
  });

  test("leaves the unread ones, and the open one although it was just read", () => {
    expect(ids(list, "unread", "", null)).toEqual(["jose", "group-crew"]);
    expect(ids(list, "unread", "", "grace")).toEqual(["jose", "grace", "group-crew"]);
  });

  test("keeps the order and everything when nothing is asked", () => {
    expect(filterConversations(list, "all", " ", null)).toEqual(list);
  });
});

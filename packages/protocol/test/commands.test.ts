import { describe, expect, it, test } from "vitest";
import {
  answerSchema,
  ChatError,
  commandSchema,
  ephemeralSchema,
  historyResponseSchema,
  limits,
  syncRequestSchema,
  syncResponseSchema,
  tokenRequestSchema,
  userProfileSchema,
  validate,
} from "../src/index.ts";

function refused(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (thrown) {
    return ChatError.fromUnknown(thrown).code === "bad_request";
  }
}

describe("A command", () => {
  const mark = { conversWith: "B", delivered: 3, read: 0 };

  it.each([
    { type: "mark", request_id: "r", marks: [mark] },
    {
      type: "mark",
      request_id: "r",
      marks: [{ conversWith: "g".repeat(128), read: Number.MAX_SAFE_INTEGER }],
    },
    { type: "mark", request_id: "r", marks: Array.from({ length: limits.marks }, () => mark) },
    { type: "typing", request_id: "r", conversWith: "B", typing: false },
  ])("may be %j", (command) => {
    expect(validate(commandSchema, command)).toEqual(command);
  });

  it.each([
    { type: "dance", request_id: "r" },
    { request_id: "r", marks: [mark] },
    { type: "mark", marks: [mark] },
    { type: "mark", request_id: "", marks: [mark] },
    { type: "mark", request_id: "r", marks: [] },
    { type: "mark", request_id: "r", marks: Array.from({ length: limits.marks + 1 }, () => mark) },
    { type: "mark", request_id: "r", marks: [{ ...mark, read: -1 }] },
    { type: "mark", request_id: "r", marks: [{ ...mark, read: 1.5 }] },
    { type: "mark", request_id: "r", marks: [{ ...mark, read: 2 ** 53 }] },
    { type: "mark", request_id: "r", marks: [{ ...mark, read: null }] },
    { type: "mark", request_id: "r", marks: [{ ...mark, conversWith: "a\ud800" }] },
    { type: "typing", request_id: "r", conversWith: "B" },
    { type: "typing", request_id: "r", conversWith: "B", typing: 1 },
    null,
    "typing",
    [],
  ])("may not be %j", (command) => {
    expect(refused(() => validate(commandSchema, command))).toBe(true);
  });
});

test("An answer keeps what a newer server adds", () => {
  const answer = { request_id: "r", code: "a_code_of_the_future", retry_after_ms: 1, more: { x: 1 } };

  expect(validate(answerSchema, answer)).toEqual(answer);
});

test.each([
  { type: "typing", conversWith: "B", user: "A", typing: true },
  { type: "presence", user: "A", presence: "offline", last_seen: 1 },
  { type: "receipt", conversWith: "B", user: "A", delivered: 2, read: 1 },
])("What passes may be %j", (ephemeral) => {
  expect(validate(ephemeralSchema, ephemeral)).toEqual(ephemeral);
});

describe("A sync request", () => {
  it.each<object>([
    {},
    { limit: 0 },
    { cursor: "any text: the server knows its own", limit: 1_000 },
    { cursor: "x".repeat(limits.cursorCharacters) },
  ])("may be %j", (request) => {
    expect(validate(syncRequestSchema, request)).toEqual(request);
  });

  it.each([
    { cursor: null },
    { cursor: 1 },
    { cursor: "x".repeat(limits.cursorCharacters + 1) },
    { limit: -1 },
    { limit: 1.5 },
    { limit: 1_001 },
    [],
    "cursor",
  ])("may not be %j", (request) => {
    expect(refused(() => validate(syncRequestSchema, request))).toBe(true);
  });
});

const state = {
  conversWith: "B",
  kind: "direct",
  head: 2,
  unread: 1,
  delivered: 1,
  read: 1,
  archived: false,
};
const event = { type: "message", conversWith: "B", seq: 2, epoch: "e", timestamp: 1, sender: "B" };
const answer = { epoch: "e", now: 1, cursor: "c", more: false };

test.each([
  { state, covered: [[2, 2]], events: [event] },
  { state, covered: [[2, 2]], events: [{ ...event, overlay: { version: 3, more: 1 } }], behind: true },
  { state, covered: [], events: [{ ...event, type: "a_kind_of_the_future", data: { x: 1 } }] },
])("A sync answer may hold %j", (item) => {
  const response = { ...answer, conversations: [item] };

  expect(validate(syncResponseSchema, response)).toEqual(response);
});

test.each([
  { state },
  { state, covered: [[1]], events: [] },
  { state: { ...state, kind: "a_kind_of_the_future" }, covered: [], events: [] },
])("A sync answer may not hold %j", (item) => {
  expect(refused(() => validate(syncResponseSchema, { ...answer, conversations: [item] }))).toBe(true);
});

test("A page of history says what it covers", () => {
  const response = { epoch: "e", head: 2, covered: [[1, 2]], events: [event] };

  expect(validate(historyResponseSchema, response)).toEqual(response);
  expect(refused(() => validate(historyResponseSchema, { ...response, covered: undefined }))).toBe(true);
});

describe("A token request", () => {
  it.each([{}, { ttl: 1 }, { ttl: 2_592_000, profile: "compat" }, { client_id: "c-1" }])(
    "may be %j",
    (request) => {
      expect(validate(tokenRequestSchema, request)).toEqual(request);
    },
  );

  it.each([
    { ttl: 0 },
    { ttl: 1.5 },
    { ttl: 2_592_001 },
    { profile: "admin" },
    { client_id: "" },
    { client_id: "*" },
    { client_id: "a.b" },
  ])("may not be %j, because what it names ends up in scopes", (request) => {
    expect(refused(() => validate(tokenRequestSchema, request))).toBe(true);
  });
});

test("A name in a profile has at most 512 bytes", () => {
  expect(refused(() => validate(userProfileSchema, { fullname: "é".repeat(256) }))).toBe(false);
  expect(refused(() => validate(userProfileSchema, { fullname: "é".repeat(257) }))).toBe(true);
});

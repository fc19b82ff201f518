import { describe, expect, it, test } from "vitest";
import {
  acceptedMessageSchema,
  ChatError,
  conversationPatchSchema,
  conversationSchema,
  groupSchema,
  messageSchema,
  outgoingMessageSchema,
  receiptSchema,
  receiptUpdateSchema,
  serverKeys,
  validate,
} from "../src/index.ts";

/** What the widget sends (values invented). */
const widgetMessage = {
  text: "hi",
  type: "text",
  recipient_fullname: "Bee",
  sender_fullname: "Aaa",
  attributes: { tempUID: "T-1", lang: "en", subtype: "info", client: "Mozilla", payload: [{ a: null }] },
  metadata: null,
  channel_type: "direct",
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    return ChatError.fromUnknown(thrown).code;
  }
  return "ok";
}

describe("A message to send", () => {
  it.each([
    ["the widget's", widgetMessage],
    ["one without any key", {}],
    ["one whose keys are all null", Object.fromEntries(Object.keys(widgetMessage).map((key) => [key, null]))],
    ["an image", { text: "", type: "image", metadata: { src: "s", width: 1, height: 2 } }],
    ["a gallery with a list as metadata", { type: "gallery", metadata: [{ src: "s" }] }],
    ["one with text as metadata", { text: "x", metadata: "" }],
    ["one with an inline group", { text: "x", group: { name: "G", members: { a: 1 }, more: true } }],
    ["one of the longest ids", { client_message_id: "c".repeat(64), device: "d".repeat(64) }],
  ])("comes through unchanged: %s", (_what, message) => {
    expect(validate(outgoingMessageSchema, message)).toEqual(message);
  });

  it("keeps keys that nobody knows, at every level", () => {
    const message = { text: "x", custom: { deep: [1, { b: null }] }, attributes: { mine: "2" }, group: null };

    expect(validate(outgoingMessageSchema, message)).toEqual(message);
  });

  it("keeps the difference between null and absent", () => {
    expect(validate(outgoingMessageSchema, { attributes: null })).toEqual({ attributes: null });
    expect("attributes" in validate(outgoingMessageSchema, {})).toBe(false);
  });

  it.each([
    ["text", 5],
    ["text", ["a"]],
    ["type", {}],
    ["sender_fullname", true],
    ["recipient_fullname", 1],
    ["channel_type", 1],
    ["timestamp", {}],
    ["timestamp", Number.POSITIVE_INFINITY],
    ["group", {}],
    ["group", { members: null }],
    ["group", { members: ["a"] }],
    ["group", "g"],
    ["client_message_id", ""],
    ["client_message_id", "a/b"],
    ["client_message_id", "c".repeat(65)],
    ["client_message_id", 1],
    ["device", "a.b"],
  ])("is refused with %s = %j, and the message names the key", (key, value) => {
    const send = () => validate(outgoingMessageSchema, { [key]: value });

    expect(codeOf(send)).toBe("bad_request");
    expect(send).toThrow(new RegExp(`^${key}`));
  });

  it.each([
    ["channel_type", "loud"],
    ["channel_type", ""],
    ["attributes", "x"],
    ["attributes", [1]],
    ["metadata", 1],
    ["metadata", true],
    ["language", { code: "it" }],
    ["timestamp", "1795245000976"],
    ["timestamp", "2026-11-21T08:30:00.976Z"],
    ["timestamp", "yesterday"],
  ])("passes with %s = %j, as the original let it pass", (key, value) => {
    expect(validate(outgoingMessageSchema, { [key]: value })).toEqual({ [key]: value });
  });

  it.each([
    ["text", 5],
    ["text", ["a"]],
    ["type", {}],
    ["sender_fullname", true],
    ["recipient_fullname", 1],
    ["channel_type", 1],
    ["timestamp", {}],
    ["timestamp", true],
    ["group", ""],
    ["group", false],
    ["device", { os: "ios" }],
    ["device", "Ann's phone"],
  ])("is accepted with %s = %j, because existing clients do not read a refusal", (key, value) => {
    expect(validate(acceptedMessageSchema, { [key]: value })).toEqual({ [key]: value });
  });

  it.each([
    ["group", {}],
    ["group", "g"],
    ["client_message_id", "a/b"],
  ])("is not accepted with %s = %j", (key, value) => {
    expect(codeOf(() => validate(acceptedMessageSchema, { [key]: value }))).toBe("bad_request");
  });

  it.each(["hi", 1, true, null, undefined, [], [{}]])("is refused when it is %j", (value) => {
    expect(codeOf(() => validate(outgoingMessageSchema, value))).toBe("bad_request");
  });

  it("is refused without showing its content", () => {
    expect(() => validate(outgoingMessageSchema, { text: { secret: "hush" } })).toThrow(/^(?!.*hush)/);
  });

  it("loses nothing to a prototype: hostile keys are keys like any other", () => {
    const message = JSON.parse(
      '{"constructor":1,"toString":2,"hasOwnProperty":3,"attributes":{"constructor":{}}}',
    );

    expect(validate(outgoingMessageSchema, message)).toEqual(message);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

test("The server alone writes who sent what when, and in which state", () => {
  expect(serverKeys).toEqual(
    expect.arrayContaining([
      "_id",
      "app_id",
      "message_id",
      "recipient",
      "sender",
      "seq",
      "status",
      "timestamp",
    ]),
  );
  expect(serverKeys).not.toContain("attributes");
  expect(serverKeys).not.toContain("client_message_id");
});

describe("A message as it is received", () => {
  const received = {
    ...widgetMessage,
    message_id: "7479",
    sender: "A",
    recipient: "B",
    app_id: "tilechat",
    timestamp: 1_795_245_000_976,
    status: 150,
  };

  it("may come from a server without numbers", () => {
    expect(validate(messageSchema, received)).toEqual(received);
  });

  it("may carry a number, an epoch, the history's mark and keys that nobody knows", () => {
    const more = {
      ...received,
      seq: 7,
      epoch: "e",
      __history: "true",
      timelineOf: "B",
      conversWith: "A",
      _id: "x",
    };

    expect(validate(messageSchema, { ...more, custom: 1 })).toEqual({ ...more, custom: 1 });
  });

  it.each(["message_id", "sender", "recipient", "app_id", "timestamp", "status"])("needs %s", (key) => {
    const { [key as keyof typeof received]: _, ...without } = received;

    expect(codeOf(() => validate(messageSchema, without))).toBe("bad_request");
    expect(codeOf(() => validate(messageSchema, { ...received, [key]: null }))).toBe("bad_request");
  });
});

describe("A receipt", () => {
  it.each([{ status: 200 }, { status: 300 }, { status: 200, more: 1 }])("may be %j", (receipt) => {
    expect(validate(receiptSchema, receipt)).toEqual(receipt);
  });

  it.each([{}, { status: null }, { status: "200" }, "200", 200, null, []])("may not be %j", (receipt) => {
    expect(codeOf(() => validate(receiptSchema, receipt))).toBe("bad_request");
  });

  it("is told to the sender with the owner, the id and the state", () => {
    const update = { timelineOf: "A", message_id: "T-1", status: 250 };

    expect(validate(receiptUpdateSchema, update)).toEqual(update);
    expect(codeOf(() => validate(receiptUpdateSchema, { status: 250 }))).toBe("bad_request");
  });
});

test.each([{ is_new: false }, { is_new: true, other: 1 }])("A conversation patch may be %j", (patch) => {
  expect(validate(conversationPatchSchema, patch)).toEqual(patch);
});

test.each([{}, { is_new: null }, { is_new: 0 }, { is_new: "false" }, "x", null])(
  "A conversation patch may not be %j",
  (patch) => {
    expect(codeOf(() => validate(conversationPatchSchema, patch))).toBe("bad_request");
  },
);

test("A conversation has all that web clients would else drop it for", () => {
  const document = {
    timelineOf: "A",
    conversWith: "B",
    key: "B",
    is_new: true,
    archived: false,
    last_message_text: "",
    timestamp: 1,
  };

  expect(validate(conversationSchema, { ...document, sender: "B" })).toEqual({ ...document, sender: "B" });
  for (const key of Object.keys(document)) {
    expect(
      codeOf(() => validate(conversationSchema, { ...document, [key]: null })),
      key,
    ).toBe("bad_request");
  }
});

describe("A group", () => {
  const group = {
    uid: "g".repeat(128),
    name: "G1",
    appId: "tilechat",
    owner: "A",
    members: { A: 1, B: 1, constructor: 1 },
    createdOn: 1,
    updatedOn: 2,
  };

  it("has members as an object of ones", () => {
    expect(validate(groupSchema, group)).toEqual(group);
    expect(codeOf(() => validate(groupSchema, { ...group, members: ["A"] }))).toBe("bad_request");
    expect(codeOf(() => validate(groupSchema, { ...group, members: { A: "1" } }))).toBe("bad_request");
  });

  it("may have attributes and keys that nobody knows", () => {
    const more = {
      ...group,
      _id: "x",
      attributes: { a: null },
      notification: { messagelabel: { key: "K" } },
    };

    expect(validate(groupSchema, more)).toEqual(more);
  });
});

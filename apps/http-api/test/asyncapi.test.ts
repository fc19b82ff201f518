import specs from "@asyncapi/specs";
import { eventKinds, parseClientTopic, parseServerTopic, topics } from "@chat21/protocol";
import { Ajv } from "ajv";
import { expect } from "vitest";
import { buildAsyncApi } from "../src/asyncapi.ts";
import { channels } from "../src/asyncapi-channels.ts";
import { test } from "./api.fixture.ts";

// biome-ignore lint/suspicious/noExplicitAny: a document of this size is read by path.
const document = buildAsyncApi() as any;

test("the document is served beside the other one, and is what AsyncAPI 3 asks for", async ({ api }) => {
  const { status, headers, json } = await api.get("/api/v1/asyncapi.json");

  // The schema brings its own dialect, and formats that only AsyncAPI knows.
  const own = { meta: false, validateSchema: false, validateFormats: false, strict: false } as const;
  const validate = new Ajv(own).compile(specs.schemas["3.0.0"] as object);
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  expect(validate(json), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ ...json, channels: { a: { address: 1 } } })).toBe(false);
});

test("every topic that the protocol knows has a channel, and no other one has", () => {
  const builders: readonly ((...levels: string[]) => string)[] = Object.entries(topics)
    .filter(([name]) => name !== "inbox")
    .map(([, build]) => build);
  const shape = (topic: string) => topic.replace(/\{\w+\}|x/g, "x").replace(/apps\/x\//, "apps/x/");
  const known = builders.map((build) => build("{a}", "{a}", "{a}", "{a}")).map(shape);

  expect(channels.map(({ address }) => shape(address)).toSorted()).toEqual(known.toSorted());
});

test("what the server receives is what it lets clients publish; what it sends is what they can read", () => {
  for (const { address, action } of channels) {
    const topic = address.replace(/\{\w+\}/g, "a");
    const parsed = action === "receive" ? parseClientTopic(topic) : parseServerTopic(topic);
    expect(parsed, address).not.toBeNull();
  }
});

test("every kind of event that is no message has its own message, and every command too", () => {
  const { message: _message, ...kinds } = eventKinds;

  expect(Object.keys(document.channels.event.messages)).toEqual(Object.keys(kinds));
  expect(document.components.messages.member_added.payload.properties).toMatchObject({
    type: { const: "member_added" },
    data: { properties: { member_id: { type: "string" } } },
  });
  expect(Object.keys(document.channels.command.messages)).toEqual(["mark", "typing", "erase"]);
});

test("every reference leads somewhere", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) =>
    (path as string).split("/"),
  );

  expect(references.length).toBeGreaterThan(channels.length);
  for (const path of references) {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const found = path.reduce((at: any, key) => at?.[key], document);
    expect(found, path.join("/")).toBeDefined();
  }
});

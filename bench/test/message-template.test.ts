import { outgoingMessageSchema } from "@chat21/protocol";
import fc from "fast-check";
import { type IPublishPacket, type Packet, parser } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import {
  createTemplate,
  findId,
  messageIdentity,
  numberCopy,
  numberOf,
  streamOf,
} from "../src/load/message-template.ts";

describe("a message template", () => {
  it("makes packets that another decoder reads, with the number that was asked for", () => {
    fc.assert(
      fc.property(
        fc.nat(99_999),
        fc.nat(999_999_999),
        fc.constantFrom("old", "sdk"),
        (stream, number, client) => {
          const template = createTemplate({
            ...{ topic: "a/b", sender: "ann", recipient: "bob" },
            ...{ stream, channelType: "direct", client },
          });
          const buffer = Buffer.concat([Buffer.from("before"), template.packet]);
          numberCopy(buffer, 6, template, number);

          const at = findId(buffer, 0, buffer.length);
          expect([streamOf(buffer, at), numberOf(buffer, at)]).toEqual([stream, number]);
          const packets: Packet[] = [];
          parser()
            .on("packet", (packet) => packets.push(packet))
            .parse(buffer.subarray(6));
          expect(packets).toHaveLength(1);
          expect(packets[0]).toMatchObject({ topic: "a/b", qos: 1, messageId: (number % 65_535) + 1 });
          const body = JSON.parse(String((packets[0] as IPublishPacket).payload));
          outgoingMessageSchema.parse(body);
          expect("client_message_id" in body).toBe(client === "sdk");
        },
      ),
    );
  });

  it("finds no id in what is no message of this run", () => {
    const other = Buffer.from('{"client_message_id":"msg-other-00000-000000000"}');

    expect(findId(other, 0, other.length)).toBe(-1);
  });

  it.each([
    ['{"client_message_id":"c1","message_id":"m1"}', '{"client_message_id":"c2","message_id":"m1"}', true],
    ['{"message_id":"m1","client_message_id":"c1"}', '{"message_id":"m2","client_message_id":"c1"}', false],
  ])("tells by the server's id whether %s and %s are the same message", (one, other, isSame) => {
    const [a, b] = [one, other].map((text) => {
      const bytes = Buffer.from(`before${text}{"message_id":"next"}`);
      return messageIdentity(bytes, 6, 6 + text.length);
    });

    expect(a === b).toBe(isSame);
    expect(a).not.toBe(0);
  });

  it("knows no identity where the server gave no id", () => {
    const bytes = Buffer.from('{"client_message_id":"c1"}{"message_id":"next"}');

    expect(messageIdentity(bytes, 0, 26)).toBe(0);
  });
});

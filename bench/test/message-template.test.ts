import { outgoingMessageSchema } from "@chat21/protocol";
import fc from "fast-check";
import { type IPublishPacket, type Packet, parser } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createTemplate, findId, numberCopy, numberOf, streamOf } from "../src/load/message-template.ts";

describe("a message template", () => {
  it("makes packets that another decoder reads, with the number that was asked for", () => {
    fc.assert(
      fc.property(fc.nat(99_999), fc.nat(999_999_999), (stream, number) => {
        const template = createTemplate({
          ...{ topic: "a/b", sender: "ann", recipient: "bob" },
          ...{ stream, channelType: "direct" },
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
        outgoingMessageSchema.parse(JSON.parse(String((packets[0] as IPublishPacket).payload)));
      }),
    );
  });

  it("finds no id in what is no message of this run", () => {
    const other = Buffer.from('{"client_message_id":"msg-other-00000-000000000"}');

    expect(findId(other, 0, other.length)).toBe(-1);
  });
});

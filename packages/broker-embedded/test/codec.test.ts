import { topicMatches } from "@chat21/protocol";
import { encodePackets } from "@chat21/testkit";
import fc from "fast-check";
import { type IPublishPacket, type Packet, parser } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { FrameReader } from "../src/codec/frame-reader.ts";
import { OutgoingPackets } from "../src/codec/outgoing-packets.ts";
import { packetHeaders } from "../src/codec/packet-types.ts";
import { ProtocolViolation } from "../src/codec/protocol-violation.ts";
import { readPublish } from "../src/codec/received-publish.ts";
import { isTopicFilter } from "../src/codec/topic-filter.ts";
import { PacketIds } from "../src/session/packet-ids.ts";
import { Subscriptions } from "../src/session/subscriptions.ts";

const topic = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
  .filter((text) => !/[+#\0]/.test(text));
const payload = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
const packetId = fc.integer({ min: 1, max: 65_535 });

/** Cuts `bytes` at the given places. Places may come in any order and repeat. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

function readFrames(chunks: readonly Buffer[], maxPacketBytes = 1_000_000): Buffer[] {
  const frames: Buffer[] = [];
  const reader = new FrameReader(maxPacketBytes, (buffer, start, body, end) => {
    expect(body).toBeGreaterThan(start);
    frames.push(Buffer.from(buffer.subarray(start, end)));
  });
  for (const chunk of chunks) reader.read(chunk);
  return frames;
}

describe("the frame reader", () => {
  it("finds the same packets however the stream is cut", () => {
    const packet = fc.record({ topic, payload, packetId }).map(
      ({ topic, payload, packetId }): Packet => ({
        ...{ cmd: "publish", qos: 1, dup: false, retain: false },
        ...{ topic, payload, messageId: packetId },
      }),
    );
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 8 }), fc.array(fc.nat()), (packets, places) => {
        const encoded = packets.map((one) => encodePackets(one));
        expect(readFrames(cut(Buffer.concat(encoded), places))).toEqual(encoded);
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads a large packet byte by byte", () => {
    const bytes = encodePackets({
      cmd: "publish",
      topic: "t",
      payload: Buffer.alloc(60_000, 7),
      qos: 0,
      dup: false,
      retain: false,
    });

    expect(readFrames(Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)))).toEqual([bytes]);
  });

  it("never throws anything but a violation, and never reads beyond its bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (bytes, places) => {
          try {
            const frames = readFrames(cut(Buffer.from(bytes), places), 1_000);
            expect(Buffer.concat(frames)).toEqual(
              Buffer.from(bytes).subarray(0, Buffer.concat(frames).length),
            );
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ProtocolViolation);
          }
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it("hands over nothing after it was stopped, not even from the chunk in hand", () => {
    let frames = 0;
    const reader = new FrameReader(100, () => {
      frames++;
      reader.stop();
    });
    reader.read(Buffer.from([0xc0, 0, 0xc0, 0, 0xc0, 0]));

    expect(frames).toBe(1);
  });
});

describe("reading a PUBLISH", () => {
  const read = (bytes: Buffer) => {
    const [result] = [] as ReturnType<typeof readPublish>[];
    let found = result;
    new FrameReader(1_000_000, (buffer, start, body, end) => {
      found = readPublish(buffer, start, body, end);
    }).read(bytes);
    return found;
  };

  it("finds what another encoder put in", () => {
    fc.assert(
      fc.property(topic, payload, fc.constantFrom(0, 1, 2), packetId, (topic, payload, qos, messageId) => {
        const common = { cmd: "publish", topic, payload, dup: false, retain: false } as const;
        const bytes = encodePackets(
          qos === 0 ? { ...common, qos } : { ...common, qos: qos as 1 | 2, messageId },
        );
        const found = read(bytes);

        expect(found).toMatchObject({ topic, qos, packetId: qos === 0 ? 0 : messageId });
        expect(bytes.subarray(found?.payloadStart)).toEqual(payload);
      }),
      { numRuns: 5_000 },
    );
  });

  it("never throws anything but a violation", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(0x30, 0x32, 0x34, 0x36, 0x3f),
        (body, header) => {
          const bytes = Buffer.from([header, body.length, ...body]);
          try {
            const found = readPublish(bytes, 0, 2, bytes.length);
            expect(found.topic).not.toMatch(/[+#\0]|^$/);
            expect(found.payloadStart).toBeLessThanOrEqual(bytes.length);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ProtocolViolation);
          }
        },
      ),
      { numRuns: 100_000 },
    );
  });
});

describe("outgoing packets", () => {
  const outgoing = fc.oneof(
    fc.record({
      topic,
      payload: fc.oneof(payload, fc.constant(Buffer.alloc(20_000, 1))),
      packetId: fc.nat(65_535),
    }),
    fc.record({
      acknowledge: fc.constantFrom(packetHeaders.puback, packetHeaders.pubrec, packetHeaders.pubcomp),
      packetId,
    }),
  );

  it("are read by another decoder as they were added, in order, with the size that was foretold", () => {
    fc.assert(
      fc.property(fc.array(outgoing, { maxLength: 20 }), (added) => {
        const packets = new OutgoingPackets();
        for (const one of added) {
          if ("acknowledge" in one) packets.addAcknowledgement(one.acknowledge, one.packetId);
          else packets.addPublish(one.topic, one.payload, one.packetId);
        }
        const foretold = packets.bytes;
        const bytes = Buffer.concat(packets.take());
        const decoded: Packet[] = [];
        parser()
          .on("packet", (packet: Packet) => decoded.push(packet))
          .parse(bytes);

        expect(bytes.length).toBe(foretold);
        expect(packets.bytes).toBe(0);
        expect(decoded).toHaveLength(added.length);
        for (const [index, one] of added.entries()) {
          const packet = decoded[index] as Packet;
          expect(packet.messageId ?? 0).toBe(one.packetId);
          if ("acknowledge" in one) continue;
          expect(packet).toMatchObject({
            cmd: "publish",
            topic: one.topic,
            qos: one.packetId === 0 ? 0 : 1,
            retain: false,
          });
          expect(Buffer.compare((packet as IPublishPacket).payload as Buffer, one.payload)).toBe(0);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("filters", () => {
  it.each(["a", "/", "#", "+", "a/#", "+/b/+", "/#", "a//b", "a\uFFFD", "\uFEFFa"])("may be %s", (filter) => {
    expect(isTopicFilter(filter)).toBe(true);
  });

  it.each(["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+/c", "a\0"])("may not be %j", (filter) => {
    expect(isTopicFilter(filter)).toBe(false);
  });

  it("grant the highest QoS of those that match, whichever way they are kept", () => {
    const root = "apps/app/users/ann";
    const filter = fc.constantFrom(
      `${root}/#`,
      `${root}/+`,
      `${root}/a/#`,
      "#",
      "+/app/#",
      `${root}/a/b`,
      "apps/#",
    );
    const wanted = fc.constantFrom(`${root}/a`, `${root}/a/b`, root, "apps/app/users/annie/a", "x");
    const step = fc.record({ filter, qos: fc.constantFrom(0 as const, 1 as const), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), wanted, (steps, topic) => {
        const subscriptions = new Subscriptions("app", "ann");
        const expected = new Map<string, number>();
        for (const { filter, qos, remove } of steps) {
          if (remove) {
            subscriptions.delete(filter);
            expected.delete(filter);
          } else {
            subscriptions.set(filter, qos);
            expected.set(filter, qos);
          }
        }
        const matching = [...expected]
          .filter(([filter]) => topicMatches(filter, topic))
          .map(([, qos]) => qos);

        expect(subscriptions.qosOf(topic)).toBe(Math.max(-1, ...matching));
        expect(subscriptions.size).toBe(expected.size);
        for (const [filter] of expected) expect(subscriptions.has(filter)).toBe(true);
      }),
    );
  });
});

describe("packet identifiers", () => {
  it("are 1-65535, never in use twice, and come round again", () => {
    const ids = new PacketIds(65_535);
    const held = ids.take();
    const seen = new Set([held]);
    for (let i = 0; i < 65_534; i++) {
      const id = ids.take();
      seen.add(id);
      ids.release(id);
    }
    expect(seen.size).toBe(65_535);
    expect(ids.take()).not.toBe(held);
  });

  it("run out at the bound, and one that is released can be taken", () => {
    const ids = new PacketIds(2);
    expect([ids.take(), ids.take(), ids.take()]).toEqual([1, 2, 0]);
    ids.release(1);
    expect(ids.take()).toBe(3);
  });
});

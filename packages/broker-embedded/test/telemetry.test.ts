import { ChatError } from "@chat21/protocol";
import { connectPacket, publishPacket, type RawConnection } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { type StartedEdge, startEdge } from "./start-edge.ts";

type End = (started: StartedEdge, connection: RawConnection) => unknown;

const ends: Readonly<Record<string, End>> = {
  disconnected: (_, connection) => connection.send({ cmd: "disconnect" }),
  gone: (_, connection) => connection.end(),
  protocol_error: (_, connection) => connection.sendBytes(Buffer.from([0xf0, 0])),
  packet_too_large: (_, connection) => connection.sendBytes(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])),
  taken_over: ({ world }) => world.join(),
  expired: ({ edge }) => edge.disconnect({}, "expired"),
  revoked: ({ edge }) => edge.disconnect({}, "revoked"),
  shutting_down: ({ edge }) => edge.close(100),
  forbidden: ({ world }, connection) => {
    world.handler.onPublish = async () => {
      throw new ChatError("forbidden");
    };
    connection.send(publishPacket());
  },
  internal: ({ world }, connection) => {
    world.handler.onPublish = async () => {
      throw new TypeError("a bug");
    };
    connection.send(publishPacket());
  },
};

describe("telemetry", () => {
  it.each(Object.entries(ends))("counts a session that ended as %s", async (reason, end) => {
    const started = await startEdge();
    const connection = await started.world.join();
    await started.world.handler.until(() => started.world.handler.opened.length === 1);
    await end(started, connection);
    await connection.closed;
    await started.world.handler.until(() => started.world.handler.closed.length >= 1);

    expect(started.counts.get("sessions_opened")).toBeGreaterThanOrEqual(1);
    expect(started.counts.get(`sessions_closed ${reason}`)).toBe(1);
  });

  it("names a refused CONNECT by code and address, never with its password", async () => {
    const { world, lines, counts } = await startEdge();
    world.handler.onAuthenticate = () => {
      throw new ChatError("token_expired");
    };
    const connection = await world.raw();
    connection.send(connectPacket({ password: Buffer.from("very secret") }));
    await connection.closed;

    expect(counts.get("connects_refused token_expired")).toBe(1);
    expect(lines.join("\n")).toContain("refused a CONNECT");
    expect(lines.join("\n")).not.toContain("secret");
  });

  it("keeps the process and the other connections when the handler throws where it never should", async () => {
    const { world, lines, counts } = await startEdge();
    world.handler.onSubscribe = () => {
      throw new TypeError("a bug");
    };
    world.handler.handlePublish = () => {
      throw new TypeError("another bug");
    };
    const subscribing = await world.join({ clientId: "1" });
    subscribing.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a", qos: 0 }] });
    expect(await subscribing.next()).toMatchObject({ cmd: "suback", granted: [0x80] });
    expect(counts.get("refused internal")).toBe(1);
    const publishing = await world.join({ clientId: "2" });
    publishing.send(publishPacket());
    await publishing.closed;

    await world.join({ clientId: "3" });
    expect(
      lines.filter((line) => line.includes("threw an error") || line.includes("handling a publish failed")),
    ).toHaveLength(2);
  });
});

import { connectPacket } from "@chat21/testkit";
import { describe, expect, it } from "vitest";
import { startEdge } from "./start-edge.ts";

describe("protocol versions", () => {
  it("serve MQTT 3.1 under its own sub-protocol, with the client ids of today", async () => {
    const { world } = await startEdge();
    const clientId = "5d9e2c1e-8f0f-4a3e-9f6e-2a9c1c1f7a10";
    const connection = await world.raw("ws", ["mqttv3.1"]);
    connection.send(connectPacket({ protocolId: "MQIsdp", protocolVersion: 3, clientId }));

    expect(connection.subProtocol).toBe("mqttv3.1");
    expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 0 });
    await world.handler.until(() => world.handler.opened.length === 1);
    expect(world.handler.opened[0]).toMatchObject({ clientId });
  });

  it("refuse any other version by CONNACK 1 [MQTT-3.1.2-2]", async () => {
    const { world } = await startEdge();
    const connection = await world.raw();
    connection.sendBytes(Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 9, 2, 0, 0, 0, 0]));

    expect(await connection.next()).toMatchObject({ cmd: "connack", returnCode: 1 });
    await connection.closed;
    expect(world.handler.attempts).toEqual([]);
  });
});

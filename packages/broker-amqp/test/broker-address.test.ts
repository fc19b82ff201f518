import { describe, expect, it } from "vitest";
import { parseBrokerAddress } from "../src/broker-address.ts";
import { capabilitiesOf } from "../src/broker-capabilities.ts";
import { clientOfSubscriptionQueue } from "../src/connection-events.ts";
import { reconnectDelayMs } from "../src/reconnect-delay.ts";

describe("the broker's address", () => {
  it("has a heartbeat of 2 s whatever it says, and shows neither user nor password", () => {
    const { uri, shown } = parseBrokerAddress("amqp://me:s%40cret@host:5673/chat?heartbeat=60&frameMax=8192");

    expect(uri).toBe("amqp://me:s%40cret@host:5673/chat?heartbeat=2&frameMax=8192");
    expect(shown).toBe("amqp://host:5673/chat");
  });

  it("may ask for TLS, and leave out everything else", () => {
    expect(parseBrokerAddress("amqps://host").uri).toBe("amqps://host?heartbeat=2");
  });

  it.each(["http://me:secret@host", "secret", "", "mqtt://me:secret@host"])("is refused: %s", (address) => {
    expect(() => parseBrokerAddress(address)).toThrow(expect.objectContaining({ code: "bad_request" }));
    expect(() => parseBrokerAddress(address)).not.toThrow(/secret/);
  });
});

describe("what a broker can do", () => {
  it("is read from what it says of itself", () => {
    const told = { product: "RabbitMQ", capabilities: { "connection.blocked": true } };

    expect(capabilitiesOf({ ...told, version: "3.10.8" } as never)).toEqual({
      ...{ product: "RabbitMQ", version: "3.10.8", saysBlocked: true, countsQuorumDeliveries: true },
      ...{ transientIsQos0: false, mirrorsClassicQueues: true },
    });
    expect(capabilitiesOf({ ...told, version: "4.1.3" } as never)).toMatchObject({
      ...{ transientIsQos0: true, mirrorsClassicQueues: false },
    });
  });

  it("is little where it says nothing", () => {
    expect(capabilitiesOf({} as never)).toMatchObject({
      product: "",
      saysBlocked: false,
      transientIsQos0: false,
    });
  });
});

describe("the pause before a reconnect", () => {
  it("doubles up to five seconds, and keeps between half and all of it", () => {
    expect([1, 2, 3, 7, 8, 1_000].map((attempt) => reconnectDelayMs(attempt, 1))).toEqual([
      50, 100, 200, 3_200, 5_000, 5_000,
    ]);
    expect(reconnectDelayMs(3, 0)).toBe(100);
  });
});

describe("the queue of an MQTT subscription", () => {
  it.each([
    ["mqtt-subscription-phone-1qos1", "phone-1"],
    ["mqtt-subscription-aqos0qos0", "aqos0"],
    ["mqtt-subscription-qos1", null],
    ["mqtt-subscription-phoneqos2", null],
    ["my-mqtt-subscription-phoneqos1", null],
    [undefined, null],
  ])("%s names the client %s", (queue, client) => {
    expect(clientOfSubscriptionQueue(queue)).toBe(client);
  });
});

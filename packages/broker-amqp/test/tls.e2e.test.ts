import { once } from "node:events";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { pipeline } from "node:stream";
import { createServer, getCACertificates, type Server, setDefaultCACertificates } from "node:tls";
import { testCertificate } from "@chat21/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outgoing, RabbitWorld, send, untilConsumed } from "./rabbit-world.ts";

const authorities = getCACertificates("default");

describe("an edge that reaches its broker by amqps", () => {
  let world: RabbitWorld;
  let server: Server;
  let uri: string;

  beforeEach(async () => {
    world = await RabbitWorld.open();
    const broker = new URL(world.uri);
    server = createServer(testCertificate, (socket) => {
      const plain = connectTcp(Number(broker.port), broker.hostname);
      pipeline(socket, plain, socket, () => {});
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    uri = world.uri
      .replace("amqp:", "amqps:")
      .replace(broker.host, `localhost:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    setDefaultCACertificates(authorities);
    await world.close();
    server.close();
  });

  it("takes and delivers when it trusts the broker's certificate", async () => {
    setDefaultCACertificates([...authorities, testCertificate.cert]);
    const { edge, handler } = await world.edge({ uri, partitions: 1 });
    await untilConsumed([edge], 1);
    const channel = await world.channel();
    await channel.assertQueue("inbox", { exclusive: true });
    await channel.bindQueue("inbox", "amq.topic", "apps.tilechat.users.bob.#");

    await send(channel, outgoing("ann", "bob"), "in");
    await handler.until(() => handler.taken.length === 1);
    const topic = "apps/tilechat/users/bob/messages/ann/clientadded";
    await edge.deliver([{ app: "tilechat", user: "bob", topic, payload: "out", qos: 1 }]);

    expect(handler.taken[0]?.text).toBe("in");
    expect(await channel.get("inbox", { noAck: true })).toMatchObject({ content: Buffer.from("out") });
  });

  it("says why when it does not, and gives no password away", async () => {
    const { edge, log } = world.unstarted({ uri, partitions: 1, connectTimeoutMs: 500 });

    const starting = edge.start({} as never);

    await expect(starting).rejects.toMatchObject({
      code: "connection_lost",
      message: expect.stringMatching(/self-signed certificate/),
    });
    expect(JSON.stringify(log)).not.toContain("guest");
  });
});

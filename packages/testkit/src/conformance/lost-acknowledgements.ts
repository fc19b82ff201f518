import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { connect } from "mqtt";
import { describe, expect, it } from "vitest";
import { app, type World } from "./world.ts";

/** A way to the broker that lets everything through to it, and at times no publish's acknowledgement back. */
async function openLossyWay(mqttTcpUrl: string) {
  const { hostname, port } = new URL(mqttTcpUrl);
  const sockets: Socket[] = [];
  const way = { url: "", losesAcknowledgements: false, close: () => {} };
  const server = createServer((near) => {
    const far = connectTcp({ host: hostname, port: Number(port) });
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => {});
    near.pipe(far);
    far.on("data", (data) => {
      const type = (data[0] ?? 0) >> 4;
      // PUBACK and PUBREC. The connection breaks in place of it.
      if (way.losesAcknowledgements && (type === 4 || type === 5)) near.destroy();
      else near.write(data);
    });
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  way.url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  way.close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return way;
}

/** P1 whose acknowledgement gets lost: the client sends it again, and it is one message. */
export function describeLostAcknowledgements(world: () => World): void {
  /** Sends "ok" twice on purpose, over a way that loses the acknowledgement of the first one; answers the history. */
  async function sendOkTwice(qos: 1 | 2, messages: readonly [object, object]) {
    const [a, b] = [world().newUser("a"), world().newUser("b")];
    const way = await openLossyWay(world().topology.mqttTcpUrl);
    const client = connect(way.url, {
      ...{
        clientId: a,
        username: "JWT",
        password: world().token(a),
        protocolVersion: world().protocolVersion,
      },
      ...{ clean: false, reconnectPeriod: 50 },
    });
    try {
      const next = (event: "close" | "connect") =>
        new Promise<void>((resolve) => client.once(event, () => resolve()));
      await next("connect");
      const topic = `apps/${app}/outgoing/users/${a}/messages/${b}/outgoing`;
      const send = (message: object) => client.publishAsync(topic, JSON.stringify(message), { qos });
      way.losesAcknowledgements = true;
      const first = send(messages[0]);
      await next("close");
      way.losesAcknowledgements = false;
      await first;
      await send(messages[1]);
      // Behind a broker an acknowledgement does not mean that the message is stored already.
      const seen = await world().connect(b);
      const fence = await world().connect(a);
      await fence.send(b, { text: "fence", type: "text" });
      await seen.nextMessage(a, "fence");
      const history = await world().history(a, b);
      return history.map(({ text }) => text).filter((text) => text !== "fence");
    } finally {
      await client.endAsync(true);
      way.close();
    }
  }

  describe("a publish whose acknowledgement is lost", () => {
    const withId = (tempUID: string) => ({ text: "ok", type: "text", attributes: { tempUID } });

    it.each([1, 2] as const)(
      "of QoS %i with a tempUID is one message, and the next ok another",
      async (qos) => {
        // RabbitMQ grants QoS 1 at most, and closes the connection of a publish with QoS 2.
        if (qos === 2 && world().topology.publishesAreJudgedBy === "scopes") return expect(qos).toBe(2);
        expect(await sendOkTwice(qos, [withId("T-1"), withId("T-2")])).toEqual(["ok", "ok"]);
      },
    );

    it.each([1, 2] as const)(
      "of QoS %i without any id is one message, and the next ok another",
      async (qos) => {
        // A broker between us and the client tells neither the packet's identifier nor that it comes again.
        if (world().topology.publishesAreJudgedBy === "scopes") return expect(qos).toBeGreaterThan(0);
        const ok = { text: "ok", type: "text" };
        expect(await sendOkTwice(qos, [ok, ok])).toEqual(["ok", "ok"]);
      },
    );
  });
}

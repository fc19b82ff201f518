import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Link } from "../src/connection/link.ts";
import { openLink } from "../src/connection/link.ts";
import { ManualClock } from "./support/manual-clock.ts";

const connack = (code: number) => Buffer.from([0x20, 2, 0, code]);
/** SUBACK for the packet id that a SUBSCRIBE of one inbox carries behind its two bytes of header. */
const suback = (subscribe: Buffer, granted: number) =>
  Buffer.from([0x90, 3, subscribe[2] ?? 0, subscribe[3] ?? 0, granted]);

/** A broker that says what the script says: one answer for each packet of the client, `null` closes the socket. */
async function openBroker(...script: readonly ((packet: Buffer) => Buffer | null | undefined)[]) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let turn = 0;
    socket.on("error", () => undefined);
    socket.on("data", (packet) => {
      const answer = script[turn++]?.(packet);
      if (answer === null) socket.destroy();
      else if (answer !== undefined) socket.write(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = (clock = new ManualClock()): Promise<Link> =>
    openLink({
      url: `mqtt://127.0.0.1:${port}`,
      token: { text: "token", app: "tilechat", user: "alice", boundClientId: null, expiresAt: null },
      clientId: "device",
      clock,
      handlePublish: () => undefined,
      signal: new AbortController().signal,
    });
  return { open, sockets };
}

const puback = (publish: Buffer) => {
  const packetId = 4 + publish.readUInt16BE(2);
  return Buffer.from([0x40, 2, publish[packetId] ?? 0, publish[packetId + 1] ?? 0]);
};
const pingresp = Buffer.from([0xd0, 0]);

/** A broker that opens the link, acknowledges its first publish (presence), and then does as `rest` says. */
async function openedBy(...rest: readonly ((packet: Buffer) => Buffer | null | undefined)[]) {
  const clock = new ManualClock();
  const { open, sockets } = await openBroker(
    () => connack(0),
    (packet) => suback(packet, 1),
    puback,
    ...rest,
  );
  const link = await open(clock);
  // Until PUBACK the link has its doubts.
  await vi.waitUntil(() => clock.pending === 0, { timeout: 20_000 });
  return { link, clock, sockets };
}

describe("a link whose socket may be dead", () => {
  test("is ended 3 s after a probe without an answer", async () => {
    const asked = Promise.withResolvers<void>();
    const { link, clock } = await openedBy(() => void asked.resolve());
    const ended = vi.fn();
    void link.ended.then(ended);

    link.probe();
    link.probe();
    await asked.promise;
    await clock.advance(2_999);
    expect(ended).not.toHaveBeenCalled();
    await clock.advance(1);

    expect(await link.ended).toMatchObject({ code: "connection_lost" });
  });

  test("stays when the server answers, and may be probed again", async () => {
    const { link, clock, sockets } = await openedBy(
      () => pingresp,
      () => pingresp,
    );
    const ended = vi.fn();
    void link.ended.then(ended);

    for (let probes = 0; probes < 2; probes++) {
      link.probe();
      expect(clock.pending).toBe(1);
      await vi.waitUntil(() => clock.pending === 0, { timeout: 20_000 });
      await clock.advance(10_000);
    }

    expect(ended).not.toHaveBeenCalled();
    sockets[0]?.destroy();
    await link.ended;
  });

  test("is probed when a publish is not acknowledged for 5 s", async () => {
    const packets: number[] = [];
    const { link, clock } = await openedBy(
      (packet) => void packets.push(packet[0] ?? 0),
      (packet) => void packets.push(packet[0] ?? 0),
    );

    link.publish("apps/tilechat/outgoing/users/alice/messages/bob/outgoing", { text: "hi" });
    await vi.waitUntil(() => packets.length === 1, { timeout: 20_000 });
    await clock.advance(5_000);
    await vi.waitUntil(() => packets.length === 2, { timeout: 20_000 });
    await clock.advance(3_000);

    expect(packets).toEqual([0x32, 0xc0]);
    expect(await link.ended).toMatchObject({ code: "connection_lost" });
  });
});

describe("a link", () => {
  test("is open when the subscription is granted, and says that the user is there", async () => {
    const published = Promise.withResolvers<string>();
    const { open, sockets } = await openBroker(
      () => connack(0),
      (packet) => suback(packet, 1),
      (packet) => void published.resolve(packet.toString()),
    );

    const link = await open();

    expect(await published.promise).toContain("apps/tilechat/users/alice/presence/device");
    expect(await published.promise).toContain('{"connected":true}');
    sockets[0]?.destroy();
    expect(await link.ended).toMatchObject({ code: "connection_lost" });
  });

  test("that is closed for a newer one with the same client id ends with taken_over", async () => {
    const topic = "apps/tilechat/users/alice/devices/device/answer";
    const text = JSON.stringify({ code: "taken_over", message: "Another connection uses this client id" });
    const publish = Buffer.concat([
      Buffer.from([0x30, 2 + topic.length + text.length, 0, topic.length]),
      Buffer.from(topic + text),
    ]);
    const { link, sockets } = await openedBy();

    sockets[0]?.end(publish);

    expect(await link.ended).toMatchObject({ code: "taken_over" });
  });

  test.each([
    [1, "unsupported"],
    [2, "invalid_id"],
    [3, "connection_lost"],
    [4, "unauthorized"],
    [5, "unauthorized"],
  ])("that is refused with %i rejects with %s", async (code, expected) => {
    const { open } = await openBroker(() => connack(code));

    await expect(open()).rejects.toMatchObject({ code: expected });
  });

  test("whose subscription is refused rejects with forbidden", async () => {
    const { open } = await openBroker(
      () => connack(0),
      (packet) => suback(packet, 0x80),
    );

    await expect(open()).rejects.toMatchObject({ code: "forbidden", retryable: false });
  });

  test.each([
    ["instead of an answer", [() => null]],
    ["between its opening and the answer to the subscription", [() => connack(0), () => null]],
  ])("that breaks %s may be tried again", async (_, script) => {
    const { open } = await openBroker(...script);

    await expect(open()).rejects.toMatchObject({ code: "connection_lost", retryable: true });
  });

  test("is given up after 20 s with a server that takes the connection and never answers the subscription", async () => {
    const { open, sockets } = await openBroker(() => connack(0));
    const clock = new ManualClock();
    const link = open(clock);
    const outcome = vi.fn();
    link.catch(outcome);
    await vi.waitUntil(() => sockets.length === 1, { timeout: 20_000 });

    await clock.advance(19_999);
    expect(outcome).not.toHaveBeenCalled();
    await clock.advance(1);

    await expect(link).rejects.toMatchObject({ code: "connection_lost", retryable: true });
    await vi.waitUntil(() => sockets[0]?.destroyed === true, { timeout: 20_000 });
  });
});

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

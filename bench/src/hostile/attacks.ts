import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { topics } from "@chat21/protocol";
import { encodeConnect, encodePublish, encodeSubscribe } from "../load/packets.ts";
import { issueToken } from "../load/token.ts";
import { app, outgoingTopic } from "../targets/target.ts";

/** What an attacker knows: the server's address, and its own token. */
export interface Site {
  /** `mqtt://host:port`. */
  readonly url: string;
  /** Signs the tokens of the attackers, which are those of ordinary users. */
  readonly secret: string;
  /** Somebody whom the attacker may write to. */
  readonly victim: string;
}

/** One way to harm others. It works at full speed until `stop` is aborted, and answers how often it has tried. */
export type Attack = (site: Site, stop: AbortSignal) => Promise<number>;

/** The user behind every attack. */
export const attacker = "mallory";

const batch = 64;
const largeText = "x".repeat(60_000);

/** Opens a connection that is dropped when the attack ends. */
async function open({ url }: Site, stop: AbortSignal): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  // The server may cut it off at any time.
  socket.on("error", () => {});
  stop.addEventListener("abort", () => socket.destroy());
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

async function signIn(site: Site, stop: AbortSignal, clientId: string): Promise<Socket> {
  const socket = await open(site, stop);
  const password = issueToken(site.secret, app, attacker);
  socket.write(encodeConnect({ clientId, username: "JWT", password, keepAliveSeconds: 0 }));
  return socket;
}

/** Resolves when the socket takes more, or is gone. */
function room(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.once("drain", done).once("close", done);
  });
}

/** Writes the packets over and over, as fast as the server takes them. What it answers is thrown away. */
async function flood(socket: Socket, packets: readonly Buffer[], stop: AbortSignal): Promise<number> {
  socket.resume();
  const bytes = Buffer.concat(packets);
  let sent = 0;
  while (!stop.aborted && !socket.destroyed) {
    const isTaken = socket.write(bytes);
    sent += packets.length;
    await (isTaken ? new Promise<void>((resolve) => setImmediate(resolve)) : room(socket));
  }
  return sent;
}

/** Comes and goes: each change is told to everybody who shares a conversation. */
async function presence(site: Site, stop: AbortSignal): Promise<number> {
  const clientId = "mallory-presence";
  const socket = await signIn(site, stop, clientId);
  const topic = topics.presence(app, attacker, clientId);
  const turns = Array.from({ length: batch }, (_, turn) => (turn % 2 === 0 ? "connected" : "disconnected"));
  const packets = turns.map((word, turn) =>
    withId(encodePublish(topic, Buffer.from(`{"${word}":true}`)), turn + 1),
  );
  return flood(socket, packets, stop);
}

/** Fills the disk with large messages, over ten connections. */
async function largeMessages(site: Site, stop: AbortSignal): Promise<number> {
  const payload = Buffer.from(JSON.stringify({ text: largeText, type: "text" }));
  const packet = withId(encodePublish(outgoingTopic(attacker, site.victim), payload), 1);
  const floods = Array.from({ length: 10 }, async (_, index) =>
    flood(await signIn(site, stop, `mallory-large-${index}`), [packet], stop),
  );
  return sum(await Promise.all(floods));
}

/** Holds 400 sessions that read nothing, and fills them. */
async function unreadSessions(site: Site, stop: AbortSignal): Promise<number> {
  for (let index = 0; index < 400 && !stop.aborted; index++) {
    const socket = await signIn(site, stop, `mallory-unread-${index}`);
    socket.write(encodeSubscribe(1, topics.inbox(app, attacker), 0));
    socket.pause();
  }
  return largeMessages({ ...site, victim: attacker }, stop);
}

/** Connects with a bad token, again and again. */
async function refusedConnects(site: Site, stop: AbortSignal): Promise<number> {
  const packet = encodeConnect({ clientId: "x", username: "JWT", password: "bad", keepAliveSeconds: 0 });
  const tries = Array.from({ length: 50 }, async () => {
    let tried = 0;
    for (; !stop.aborted; tried++) {
      const socket = await open(site, stop);
      socket.resume().write(packet);
      if (!socket.closed) await once(socket, "close");
    }
    return tried;
  });
  return sum(await Promise.all(tries));
}

/** Every attack by its name. */
export const attacks = {
  presence,
  "large-messages": largeMessages,
  "unread-sessions": unreadSessions,
  "refused-connects": refusedConnects,
} as const satisfies Readonly<Record<string, Attack>>;

/** Name of an attack. */
export type AttackName = keyof typeof attacks;

function withId(
  { packet, packetIdAt }: { readonly packet: Buffer; readonly packetIdAt: number },
  id: number,
): Buffer {
  packet.writeUInt16BE(id, packetIdAt);
  return packet;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

import type { ErrorCode } from "@chat21/protocol";
import { ChatError, clientTopics } from "@chat21/protocol";
import type { MqttClient } from "mqtt";
import mqtt from "mqtt";
import type { Clock } from "./clock.ts";
import type { FallbackSocket } from "./socket-fallback.ts";
import type { Token } from "./token-keeper.ts";
import { wireIdOf } from "./wire-id.ts";

/** Settings of a {@link Link}. */
export interface LinkOptions {
  readonly url: string;
  readonly token: Token;
  /** MQTT client id: the device. */
  readonly clientId: string;
  /** Opens the socket in place of WebSocket. @default WebSocket, or what `url` says */
  readonly openSocket?: (() => FallbackSocket) | undefined;
  readonly clock: Clock;
  /** Gets publishes in the order of their arrival; also before {@link openLink} resolves. */
  handlePublish(topic: string, payload: Uint8Array): void;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
}

/** One MQTT connection that is subscribed to the user's inbox. It ends once and does not come back. */
export interface Link {
  readonly clientId: string;
  /** Resolves with the reason when the connection is gone, for any reason; `taken_over` where the server says so. */
  readonly ended: Promise<ChatError>;
  /** QoS 1, in order. A lost publish is not reported. */
  publish(topic: string, payload: object): void;
  /** As {@link publish}, but resolves when the server has it, and rejects with `connection_lost`. */
  deliver(topic: string, payload: object): Promise<void>;
  /** Asks for a sign of life, and ends the link when none comes within 3 s: a socket may be dead without a word. */
  probe(): void;
  /** Says goodbye; resolves when the socket is closed. */
  close(): Promise<void>;
}

const keepaliveSeconds = 20;
const connectTimeoutMs = 15_000;
/** Time from the first byte to the answer to the subscription. */
const openTimeoutMs = 20_000;
const closeTimeoutMs = 1_000;
const probeTimeoutMs = 3_000;
/** A publish without acknowledgement for so long casts doubt on the link. */
const doubtAfterMs = 5_000;

// Return codes of CONNACK [MQTT-3.2.2.3].
const connackCodes: Readonly<Record<number, ErrorCode>> = {
  1: "unsupported",
  2: "invalid_id",
  3: "connection_lost",
  4: "unauthorized",
  5: "unauthorized",
};

/**
 * Connects, subscribes to all topics of the token's user, and announces the user's presence. Rejects with a
 * `ChatError`: the server's refusal, or `connection_lost` when it closed the socket without a word or is not done after
 * 20 s.
 */
export function openLink(options: LinkOptions): Promise<Link> {
  const { url, token, clientId, signal, clock, openSocket } = options;
  const user = wireIdOf(token.user);
  const presence = clientTopics.presence(token.app, user, clientId);
  const client = mqtt.connect(url, {
    clientId,
    username: "JWT",
    password: token.text,
    clean: true,
    keepalive: keepaliveSeconds,
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(openSocket === undefined ? {} : { createWebsocket: openSocket }),
    will: { topic: presence, payload: JSON.stringify({ disconnected: true }), qos: 1, retain: false },
  });
  client.on("message", (topic, payload) => options.handlePublish(topic, payload));
  const ended = endOf(client);
  const probe = createProbe(client, clock);
  const doubts = new Set<() => void>();
  void ended.then(() => {
    for (const stop of doubts) stop();
  });
  const publish = (topic: string, payload: object, done: (error?: Error) => void) => {
    if (!client.connected || client.disconnecting) return done(lost());
    const stop = clock.after(doubtAfterMs, probe);
    doubts.add(stop);
    client.publish(topic, JSON.stringify(payload), { qos: 1 }, (error) => {
      stop();
      doubts.delete(stop);
      done(error);
    });
  };
  const link: Link = {
    clientId,
    ended,
    probe,
    publish: (topic, payload) => publish(topic, payload, () => undefined),
    deliver: (topic, payload) =>
      new Promise((resolve, reject) => {
        void ended.then(reject);
        publish(topic, payload, (error) => (error ? reject(lost(error)) : resolve()));
      }),
    close: () => close(client, clock, ended),
  };
  return new Promise((resolve, reject) => {
    const abandon = () => client.end(true);
    signal.addEventListener("abort", abandon, { once: true });
    if (signal.aborted) abandon();
    // A server may answer pings but never the subscription.
    const stop = clock.after(openTimeoutMs, abandon);
    const settled = () => {
      stop();
      signal.removeEventListener("abort", abandon);
    };
    void ended.then((reason) => {
      settled();
      reject(reason);
    });
    client.once("connect", () => {
      client.subscribe(clientTopics.inbox(token.app, user), { qos: 1 }, (error, _, answer) => {
        if (error === null) {
          settled();
          link.publish(presence, { connected: true });
          return resolve(link);
        }
        // Without an answer the subscription was not refused: the connection broke, and its end rejects.
        if (answer !== undefined)
          reject(new ChatError("forbidden", "the server refused the subscription", { cause: error }));
        client.end(true);
      });
    });
  });
}

function endOf(client: MqttClient): Promise<ChatError> {
  return new Promise((resolve) => {
    let reason = lost();
    // A broker of MQTT 3.1.1 cannot say why it closes: the answer before it does.
    client.on("message", (topic, payload) => {
      if (topic.endsWith("/answer") && payload.toString().includes('"code":"taken_over"'))
        reason = new ChatError("taken_over");
    });
    client.on("error", (error) => {
      const code = "code" in error ? connackCodes[Number(error.code)] : undefined;
      reason = new ChatError(code ?? "connection_lost", error.message || undefined, { cause: error });
      client.end(true);
    });
    client.once("close", () => {
      client.end(true);
      resolve(reason);
    });
  });
}

/** Any packet is a sign of life. One probe at a time. */
function createProbe(client: MqttClient, clock: Clock): () => void {
  let stop: (() => void) | undefined;
  const finish = () => {
    stop?.();
    stop = undefined;
  };
  client.on("packetreceive", finish);
  client.once("close", finish);
  return () => {
    if (stop !== undefined || !client.connected) return;
    stop = clock.after(probeTimeoutMs, () => client.stream.destroy());
    client.sendPing();
  };
}

function lost(cause?: unknown): ChatError {
  return new ChatError("connection_lost", undefined, { cause });
}

async function close(client: MqttClient, clock: Clock, ended: Promise<ChatError>): Promise<void> {
  client.end();
  // `end` waits for acknowledgements, which a dead server never sends, and cannot be forced afterwards.
  const stop = clock.after(closeTimeoutMs, () => client.stream.destroy());
  await ended;
  stop();
}

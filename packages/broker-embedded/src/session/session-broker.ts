import { randomUUID } from "node:crypto";
import type { ConnectAttempt, Session } from "@chat21/engine";
import { ChatError, type ErrorCode } from "@chat21/protocol";
import { Aedes, type AuthenticateError, type Client, type ConnectPacket } from "aedes";
import type { EdgeLimits } from "../edge-limits.ts";
import { type ControlOwner, ControlStream } from "./control-stream.ts";

/** A running broker for sessions. */
export interface Sessions {
  /** Opens a session in aedes. The caller pushes the client's packets into the returned stream, CONNECT first. */
  open(client: BrokerClient): ControlStream;
  close(): Promise<void>;
}

/** Starts the broker for sessions. */
export async function startSessions(limits: EdgeLimits): Promise<Sessions> {
  const attempts = new WeakMap<Client, { attempt: ConnectAttempt; keepAliveSeconds: number }>();
  const broker = new SessionBroker({
    heartbeatInterval: hardlyEverMs,
    // The edge itself watches connect timeouts, keep-alives and slow consumers.
    connectTimeout: hardlyEverMs,
    drainTimeout: 0,
    maxClientsIdLength: limits.maxTopicBytes,
    maxTopicLevels: limits.maxTopicLevels,
    preConnect(client, packet, done) {
      attempts.set(client, takeOver(packet, ownerOf(client)));
      done(null, true);
    },
    authenticate(client, username, password, done) {
      const begun = attempts.get(client);
      attempts.delete(client);
      if (begun === undefined) return done(refusal(5), false);
      const attempt = { ...begun.attempt, username, password: password?.toString() };
      ownerOf(client)
        .authenticate(attempt, begun.keepAliveSeconds)
        .then(
          (session) => {
            // Two users may use the same client id, and aedes must not mix them up. Apps and users hold no "/".
            client.id = `${session.app}/${session.user}/${session.clientId}`;
            done(null, true);
          },
          (thrown) => done(refusal(connackCodes[ChatError.fromUnknown(thrown).code] ?? 3), false),
        );
    },
  });
  broker.on("connackSent", (packet, client) => {
    if (packet.returnCode === 0) ownerOf(client).handleConnected();
  });
  await broker.listen();
  return {
    open(client) {
      const stream = new ControlStream(client);
      broker.handle(stream);
      return stream;
    },
    close: () => new Promise((resolve) => broker.close(() => resolve())),
  };
}

/** A connection, as the session broker sees it. */
export interface BrokerClient extends ControlOwner {
  readonly address: string;
  /** Rejects with `ChatError` to refuse. */
  authenticate(attempt: ConnectAttempt, keepAliveSeconds: number): Promise<Session>;
  /** CONNACK 0 is on its way. */
  handleConnected(): void;
}

/**
 * aedes without messages. It parses and answers CONNECT, and knows the connected clients.
 * Its methods that publish or route do nothing: no `$SYS` topics, no wills, no retained messages, no queues (ADR-0007).
 */
class SessionBroker extends Aedes {
  override publish(_packet: unknown, clientOrDone?: unknown, done?: () => void): void {
    if (typeof clientOrDone === "function") clientOrDone();
    else done?.();
  }

  override subscribe(_topic: string, _deliver: unknown, done?: () => void): void {
    done?.();
  }

  override unsubscribe(_topic: string, _deliver: unknown, done?: () => void): void {
    done?.();
  }
}

/** CONNACK code for each error code ([MQTT-3.2.2-4]). All other errors are 3, "server unavailable". */
const connackCodes: Partial<Record<ErrorCode, 2 | 4 | 5>> = {
  bad_request: 2,
  invalid_id: 2,
  unauthorized: 4,
  token_expired: 4,
  token_revoked: 4,
  forbidden: 5,
};

/** Six days. aedes multiplies it by four, and a timer can wait for at most 24.8 days. */
const hardlyEverMs = 6 * 24 * 60 * 60 * 1_000;

/**
 * Removes from the CONNECT everything that the edge handles itself: the keep-alive (aedes sees too few packets to watch
 * it), the will (the engine hears of every kind of leaving) and the persistent session (clients read the history
 * instead).
 */
function takeOver(packet: ConnectPacket, owner: BrokerClient) {
  const { will, keepalive = 0 } = packet;
  const attempt: ConnectAttempt = {
    // [MQTT-3.1.3-6]
    clientId: packet.clientId || `auto-${randomUUID()}`,
    username: undefined,
    password: undefined,
    address: owner.address,
    will: will === undefined ? undefined : { topic: will.topic, payload: Buffer.from(will.payload) },
  };
  delete packet.will;
  packet.keepalive = 0;
  packet.clean = true;
  return { attempt, keepAliveSeconds: keepalive };
}

function ownerOf(client: Client): BrokerClient {
  return (client.conn as ControlStream).owner as BrokerClient;
}

function refusal(returnCode: 2 | 3 | 4 | 5): AuthenticateError {
  return Object.assign(new Error("the connection is refused"), { returnCode });
}

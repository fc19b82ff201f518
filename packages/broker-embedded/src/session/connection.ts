import { randomUUID } from "node:crypto";
import type { ConnectAttempt, Inbound, Session } from "@chat21/engine";
import { ChatError, type ErrorCode, errorCodes, isId, topics } from "@chat21/protocol";
import { isCut } from "../codec/frame-reader.ts";
import { packetHeaders, packetTypeMask } from "../codec/packet-types.ts";
import { ProtocolViolation } from "../codec/protocol-violation.ts";
import { connackOf, readConnect } from "../codec/received-connect.ts";
import { readPacketId, readPublish } from "../codec/received-publish.ts";
import {
  encodeSuback,
  type ReceivedFilters,
  readFilters,
  refusedFilter,
} from "../codec/received-subscribe.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport, TransportOwner } from "../transport/transport.ts";
import { abruptCauses, type CloseCause } from "./close-cause.ts";
import type { FlushQueue } from "./flush-queue.ts";
import { InboundWindow } from "./inbound-window.ts";
import { Liveness, type SweepClock } from "./liveness.ts";
import { PacketReceiver } from "./packet-receiver.ts";
import { PacketSender } from "./packet-sender.ts";
import { Subscriptions } from "./subscriptions.ts";

/** The connection of one client, from accept to the end. */
export class Connection implements TransportOwner {
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #receiver: PacketReceiver;
  readonly #sender: PacketSender;
  readonly #window: InboundWindow;
  readonly #liveness: Liveness;
  /** `greeting`: some bytes have come, but no whole CONNECT. `connecting`: CONNECT has come, CONNACK is not sent. */
  #state: "new" | "greeting" | "connecting" | "open" | "closed" = "new";
  #session: Session | null = null;
  #subscriptions: Subscriptions | null = null;
  /** Held packets are still handled after the transport has ended, and even when it is gone. */
  #transportState: "up" | "ended" | "gone" = "up";
  /** Packet identifiers that the client may use again for what it sent over its last connection. */
  #resent: Set<number> | null = null;
  /** The connection closes as soon as all publishes are settled. */
  #isDraining = false;

  constructor(transport: Transport, context: ConnectionContext) {
    const { limits, flushQueue } = context;
    this.#context = context;
    this.#transport = transport;
    this.#receiver = new PacketReceiver(transport, limits, (buffer, start, body, end, isNext) =>
      this.#take(buffer, start, body, end, isNext),
    );
    this.#sender = new PacketSender(transport, flushQueue, limits, () => this.close("slow_consumer"));
    this.#window = new InboundWindow((header, packetId) => this.#sender.acknowledge(header, packetId));
    this.#liveness = new Liveness(context);
    transport.attach(this);
  }

  get address(): string {
    return this.#transport.address;
  }

  /** `null` while there is no open session. */
  get session(): Session | null {
    return this.#state === "open" ? this.#session : null;
  }

  // From the transport

  handleData(chunk: Buffer): void {
    if (this.#state === "closed") return;
    // Bytes before CONNACK do not extend the connect timeout.
    if (this.#state === "open") {
      this.#liveness.hear();
      this.#window.confirm();
    }
    this.#guard(() => {
      if (this.#state === "new") this.#greet(chunk);
      this.#receiver.read(chunk);
    });
  }

  handleEnd(): void {
    this.#transportState = "ended";
    if (this.#receiver.isEmpty) this.close("gone");
  }

  handleGone(): void {
    if (this.#transportState === "up") this.close("gone");
    this.#transportState = "gone";
    if (this.#state === "closed") this.#context.handleGone(this);
  }

  // From the edge

  /** Identifiers of publishes whose acknowledgement the client may not have. */
  get unconfirmed(): Set<number> {
    return this.#window.unconfirmed();
  }

  /** The QoS of the client's subscription to `topic`; -1 when it has none. */
  qosOf(topic: string): 0 | 1 | -1 {
    return this.#state === "open" && this.#subscriptions !== null ? this.#subscriptions.qosOf(topic) : -1;
  }

  deliver(topic: string, payload: Buffer, qos: 0 | 1): void {
    this.#sender.publish(topic, payload, qos);
  }

  /** Handles waiting packets, as far as that is allowed now. */
  proceed(): void {
    if (this.#state === "closed") return;
    // Pings behind waiting packets are not read, so the client must not count as silent.
    this.#liveness.hear();
    this.#guard(() => this.#receiver.proceed());
    if (this.#transportState !== "up" && this.#receiver.isEmpty) this.close("gone");
  }

  /** Closes the connection when CONNECT or the keep-alive is overdue. */
  sweep(): void {
    const { paused, limits } = this.#context;
    this.#transport.sweep();
    if (this.#state !== "open") {
      if (this.#liveness.isSilentFor(limits.connectTimeoutMs)) this.close("connect_timeout");
    } else if (!paused && this.#receiver.isEmpty && this.#liveness.isOverdue()) {
      this.close("keep_alive_timeout");
    }
  }

  /** Takes no more publishes. Closes when all taken publishes are settled and acknowledged. */
  drain(): void {
    this.#isDraining = true;
    if (this.#window.size === 0) this.close("shutting_down");
  }

  close(cause: CloseCause, detail = ""): void {
    if (this.#state === "closed") return;
    const session = this.session;
    this.#state = "closed";
    this.#receiver.stop();
    if (abruptCauses.has(cause)) {
      this.#sender.discard();
      this.#transport.destroy();
    } else {
      if (cause === "taken_over" && session !== null) this.#tellTakeover(session);
      this.#sender.finish();
      this.#transport.end();
    }
    this.#context.handleClosed(this, session, cause, detail);
    if (this.#transportState === "gone") this.#context.handleGone(this);
  }

  /** Closes without waiting for the last bytes to leave. */
  destroy(): void {
    this.close("shutting_down");
    this.#transport.destroy();
  }

  /** MQTT 3.1.1 has no DISCONNECT from a server, so a client that is subscribed gets an answer that it did not ask for. */
  #tellTakeover({ app, user, clientId }: Session): void {
    const topic = topics.answer(app, user, isId(clientId) ? clientId : "all");
    const subscribed = this.#subscriptions?.qosOf(topic) ?? -1;
    if (subscribed !== -1) this.#sender.publish(topic, takenOver, 0);
  }

  // Packets

  /** The first byte must be that of a CONNECT ([MQTT-3.1.0-1]). */
  #greet(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (chunk[0] !== packetHeaders.connect) throw violation("the first packet is no CONNECT");
    this.#state = "greeting";
  }

  #take(buffer: Buffer, start: number, body: number, end: number, isNext: boolean): boolean {
    const header = buffer[start] as number;
    if (this.#state === "greeting") return this.#connect(buffer, body, end);
    if (this.#state !== "open") return false;
    switch (header) {
      // The order of these packets does not matter: they overtake waiting ones.
      case packetHeaders.puback:
        this.#sender.release(readOnlyPacketId(buffer, body, end));
        return true;
      case packetHeaders.pubrel:
        this.#release(readOnlyPacketId(buffer, body, end));
        return true;
      case packetHeaders.pingreq:
        expectNoBody(body, end);
        this.#sender.respondToPing();
        return true;
    }
    if (!isNext) return false;
    if ((header & packetTypeMask) === packetHeaders.publish) return this.#publish(buffer, start, body, end);
    switch (header) {
      case packetHeaders.subscribe:
        this.#subscribe(readFilters(buffer, body, end, true));
        return true;
      case packetHeaders.unsubscribe:
        this.#unsubscribe(readFilters(buffer, body, end, false));
        return true;
      case packetHeaders.disconnect:
        expectNoBody(body, end);
        this.close("disconnected");
        return true;
      default:
        // A second CONNECT ([MQTT-3.1.0-2]), a packet only servers send, an answer to QoS 2, or wrong flags.
        throw violation(`a packet that begins with ${header} is not allowed here`);
    }
  }

  #connect(buffer: Buffer, body: number, end: number): boolean {
    const connect = readConnect(buffer, body, end);
    if ("connack" in connect) {
      this.#context.handleRefusedConnect(this, connect.level);
      this.#refuse(connect.connack);
      return true;
    }
    this.#state = "connecting";
    const { keepAliveSeconds, username, password, will } = connect;
    // [MQTT-3.1.3-6]
    const clientId = connect.clientId === "" ? `auto-${randomUUID()}` : connect.clientId;
    this.#context.authenticate({ clientId, username, password, will, address: this.address }).then(
      (session) => this.#open(session, keepAliveSeconds),
      (thrown) => this.#refuse(connackOf(connackCodes[ChatError.fromUnknown(thrown).code] ?? 3)),
    );
    return true;
  }

  #refuse(connack: Buffer): void {
    this.#sender.send(connack);
    this.close("refused");
  }

  #open(session: Session, keepAliveSeconds: number): void {
    if (this.#state !== "connecting") return;
    this.#session = session;
    this.#subscriptions = new Subscriptions(session.app, session.user);
    this.#liveness.promise(keepAliveSeconds);
    this.#sender.send(connackOf(0));
    this.#state = "open";
    this.#resent = this.#context.handleOpened(this, session);
    this.proceed();
  }

  #subscribe({ packetId, filters }: ReceivedFilters): void {
    const codes = filters.map(({ filter, qos }) => (this.#grant(filter, qos) ? qos : refusedFilter));
    this.#sender.send(encodeSuback(packetId, codes));
  }

  #grant(filter: string, qos: 0 | 1): boolean {
    const subscriptions = this.#subscriptions as Subscriptions;
    const { maxTopicBytes, maxTopicLevels, maxSubscriptions } = this.#context.limits;
    const fits = Buffer.byteLength(filter) <= maxTopicBytes && filter.split("/").length <= maxTopicLevels;
    const hasRoom = subscriptions.has(filter) || subscriptions.size < maxSubscriptions;
    if (!fits || !hasRoom || !this.#context.canSubscribe(this.#session as Session, filter)) return false;
    subscriptions.set(filter, qos);
    return true;
  }

  #unsubscribe({ packetId, filters }: ReceivedFilters): void {
    for (const { filter } of filters) this.#subscriptions?.delete(filter);
    this.#sender.acknowledge(packetHeaders.unsuback, packetId);
  }

  #publish(buffer: Buffer, start: number, body: number, end: number): boolean {
    const { paused, limits } = this.#context;
    const session = this.#session as Session;
    if (paused || this.#isDraining || this.#window.size >= limits.maxInFlightPublishes) return false;
    const { topic, qos, packetId, isDuplicate, payloadStart } = readPublish(buffer, start, body, end);
    const pending = this.#window.add(packetId, answers[qos] as number);
    if (qos === 2 && this.#window.holds(packetId)) {
      this.#window.settle(pending);
      return true;
    }
    if (qos === 2) this.#window.hold(packetId);
    const payload = buffer.subarray(payloadStart, end);
    const inbound: Inbound = {
      topic,
      payload,
      ...(isCut(buffer, start, body, end) && { isCut: true }),
      ...(qos > 0 && {
        packet: { id: packetId, isDuplicate: this.#resent?.delete(packetId) === true || isDuplicate },
      }),
    };
    this.#context.handlePublish(session, inbound).then(
      () => {
        this.#window.settle(pending);
        if (!this.#receiver.isEmpty) this.proceed();
        if (this.#isDraining) this.drain();
      },
      (thrown) => this.close(this.#context.handleRefusedPublish(session, thrown), "a publish is not allowed"),
    );
    return true;
  }

  #release(packetId: number): void {
    this.#window.release(packetId);
    this.#sender.acknowledge(packetHeaders.pubcomp, packetId);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      if (!(thrown instanceof ProtocolViolation)) throw thrown;
      this.close(thrown.reason, thrown.message);
    }
  }
}

/** The part of the edge that all connections share. */
export interface ConnectionContext extends SweepClock {
  readonly limits: EdgeLimits;
  readonly flushQueue: FlushQueue;
  /** Whether publishes have to wait. */
  readonly paused: boolean;
  /** Asks the handler, unless the peer's address has failed too often. */
  authenticate(attempt: ConnectAttempt): Promise<Session>;
  canSubscribe(session: Session, filter: string): boolean;
  handlePublish(session: Session, inbound: Inbound): Promise<void>;
  /** A CONNECT of protocol `level` is refused before its token is checked. */
  handleRefusedConnect(connection: Connection, level: number): void;
  /**
   * CONNACK is on its way. This call comes before any other of the session. Returns the packet identifiers that the
   * client may use again for what it sent over its last connection; `null` for none.
   */
  handleOpened(connection: Connection, session: Session): Set<number> | null;
  /** The handler refused a publish with `thrown`. Returns the cause with which the connection is closed. */
  handleRefusedPublish(session: Session, thrown: unknown): CloseCause;
  /** The connection was closed. Called once; `session` is null when there was no session. */
  handleClosed(connection: Connection, session: Session | null, cause: CloseCause, detail: string): void;
  /** The connection is closed and its transport is gone. */
  handleGone(connection: Connection): void;
}

const takenOver = Buffer.from(JSON.stringify({ code: "taken_over", message: errorCodes.taken_over.title }));

/** CONNACK code for each error code ([MQTT-3.2.2-4]). All other errors are 3, "server unavailable". */
const connackCodes: Partial<Record<ErrorCode, 2 | 4 | 5>> = {
  bad_request: 2,
  invalid_id: 2,
  unauthorized: 4,
  token_expired: 4,
  token_revoked: 4,
  forbidden: 5,
};

/** Answers to a PUBLISH of QoS 0, 1 and 2. QoS 2 gets its own handshake, but only the guarantee of QoS 1. */
const answers = [0, packetHeaders.puback, packetHeaders.pubrec] as const;

function violation(message: string): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message);
}

/** Reads the identifier of a packet that holds nothing else. */
function readOnlyPacketId(buffer: Buffer, body: number, end: number): number {
  if (end !== body + 2) throw violation("an acknowledgement is too short or too long");
  return readPacketId(buffer, body, end);
}

function expectNoBody(body: number, end: number): void {
  if (end !== body) throw violation("a packet has a body that it must not have");
}

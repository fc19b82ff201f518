import { randomUUID } from "node:crypto";
import type { ConnectAttempt, Inbound, Session } from "@chat21/engine";
import { ChatError, errorCodes, isId, topics } from "@chat21/protocol";
import { isCut } from "../codec/frame-reader.ts";
import { packetHeaders, packetTypeMask } from "../codec/packet-types.ts";
import { ProtocolViolation, protocolError } from "../codec/protocol-violation.ts";
import { reasons } from "../codec/reason-codes.ts";
import { type ReceivedConnect, readConnect } from "../codec/received-connect.ts";
import type { ReceivedFilters } from "../codec/received-subscribe.ts";
import { encodeRefusal } from "../codec/version-5-packets.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport, TransportOwner } from "../transport/transport.ts";
import { abruptCauses, type CloseCause, type CloseDetails } from "./close-cause.ts";
import type { Dialect } from "./dialect.ts";
import type { FlushQueue } from "./flush-queue.ts";
import { InboundWindow, type PendingPublish } from "./inbound-window.ts";
import { Liveness, type SweepClock } from "./liveness.ts";
import { PacketReceiver } from "./packet-receiver.ts";
import { PacketSender } from "./packet-sender.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { UserLoad } from "./user-loads.ts";
import { version3 } from "./version-3.ts";
import { tokenMethod, Version5 } from "./version-5.ts";

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
  #dialect: Dialect = version3;
  #session: Session | null = null;
  #load: UserLoad = { inFlight: 0, isFull: false };
  #subscriptions: Subscriptions | null = null;
  /** Held packets are still handled after the transport has ended, and even when it is gone. */
  #transportState: "up" | "ended" | "gone" = "up";
  /** Packet identifiers that the client may use again for what it sent over its last connection. */
  #resent: Set<number> | null = null;
  /** The client has sent a new token that is not checked yet. */
  #isRenewing = false;
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
    this.#window = new InboundWindow((pending) => this.#acknowledge(pending));
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

  /** Outgoing bytes that the client has not taken, but for those that the kernel has. */
  get queuedBytes(): number {
    return this.#transport.bufferedBytes + this.#sender.waitingBytes;
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

  /** As {@link proceed}, for a connection that holds packets back. */
  proceedIfHeld(): void {
    if (!this.#receiver.isEmpty) this.proceed();
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

  close(cause: CloseCause, details: CloseDetails = {}): void {
    if (this.#state === "closed") return;
    const session = this.session;
    this.#state = "closed";
    this.#receiver.stop();
    const goodbye = session === null ? null : this.#dialect.goodbye(cause, details);
    // A client that reads, but acknowledges nothing, can still be told.
    const isAbrupt = abruptCauses.has(cause) && (goodbye === null || this.#transport.bufferedBytes > 0);
    if (isAbrupt) {
      this.#sender.discard();
      this.#transport.destroy();
    } else {
      if (goodbye !== null) this.#sender.sendLast(goodbye);
      else if (cause === "taken_over" && session !== null) this.#tellTakeover(session);
      this.#sender.finish();
      this.#transport.end();
    }
    this.#context.handleClosed(this, session, cause, details.detail ?? details.error?.message ?? "");
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
    if (chunk[0] !== packetHeaders.connect) throw protocolError("the first packet is no CONNECT");
    this.#state = "greeting";
  }

  #take(buffer: Buffer, start: number, body: number, end: number, isNext: boolean): boolean {
    const header = buffer[start] as number;
    if (this.#state === "greeting") return this.#connect(buffer, body, end);
    if (this.#state !== "open") return false;
    // A client of version 5 knows the largest size ([MQTT5-3.2.2-15]).
    if (this.#dialect.saysGoodbye && isCut(buffer, start, body, end))
      throw new ProtocolViolation("packet_too_large", "a packet is larger than CONNACK allows");
    switch (header) {
      // The order of these packets does not matter: they overtake waiting ones.
      case packetHeaders.puback:
        this.#sender.release(this.#dialect.readAcknowledged(buffer, body, end));
        return true;
      case packetHeaders.pubrel:
        this.#release(this.#dialect.readAcknowledged(buffer, body, end));
        return true;
      case packetHeaders.pingreq:
        expectNoBody(body, end);
        this.#sender.respondToPing();
        return true;
      case packetHeaders.auth:
        this.#renew(buffer, body, end);
        return true;
    }
    if (!isNext) return false;
    if ((header & packetTypeMask) === packetHeaders.publish) return this.#publish(buffer, start, body, end);
    switch (header) {
      case packetHeaders.subscribe:
        this.#subscribe(this.#dialect.readSubscribe(buffer, body, end));
        return true;
      case packetHeaders.unsubscribe:
        this.#unsubscribe(this.#dialect.readUnsubscribe(buffer, body, end));
        return true;
      case packetHeaders.disconnect:
        this.#dialect.readDisconnect(buffer, body, end);
        this.close("disconnected");
        return true;
      default:
        // A second CONNECT ([MQTT-3.1.0-2]), a packet only servers send, an answer to QoS 2, or wrong flags.
        throw protocolError(`a packet that begins with ${header} is not allowed here`);
    }
  }

  #connect(buffer: Buffer, body: number, end: number): boolean {
    const { limits } = this.#context;
    const connect = readConnect(buffer, body, end, limits.maxUserProperties);
    if ("connack" in connect) {
      this.#context.handleRefusedConnect(this, connect.level);
      this.#refuse(connect.connack);
      return true;
    }
    const { properties } = connect;
    if (properties !== null) {
      const version5 = new Version5(properties, limits);
      this.#dialect = version5;
      this.#sender.useVersion5(version5);
      if (version5.authMethod !== null && version5.authMethod !== tokenMethod) {
        this.#context.handleRefusedConnect(this, 5);
        this.#refuse(encodeRefusal(reasons.badAuthenticationMethod, `the method is called ${tokenMethod}`));
        return true;
      }
    }
    this.#state = "connecting";
    // [MQTT-3.1.3-6]
    const clientId = connect.clientId === "" ? `auto-${randomUUID()}` : connect.clientId;
    const { username, will } = connect;
    const password = this.#dialect.tokenOf(connect);
    this.#context.authenticate({ clientId, username, password, will, address: this.address }).then(
      (session) => this.#open(session, connect),
      (thrown) => this.#refuse(this.#dialect.refuse(ChatError.fromUnknown(thrown))),
    );
    return true;
  }

  #refuse(connack: Buffer): void {
    this.#sender.send(connack);
    this.close("refused");
  }

  #open(session: Session, connect: ReceivedConnect): void {
    if (this.#state !== "connecting") return;
    const dialect = this.#dialect;
    const refusal = this.#context.refusalOf(session, this.address);
    if (refusal !== null) {
      this.#refuse(dialect.refuse(refusal));
      return;
    }
    const connack = dialect.accept(connect, session.clientId);
    // [MQTT5-3.1.2-24]
    if (connack.length > dialect.maxClientPacketBytes) {
      this.#refuse(dialect.refuse(new ChatError("bad_request", "the client takes no CONNACK of this size")));
      return;
    }
    this.#session = session;
    this.#subscriptions = new Subscriptions(session.app, session.user);
    this.#liveness.promise(dialect.keepAliveOf(connect));
    this.#sender.send(connack);
    this.#state = "open";
    this.#load = this.#context.loadOf(session);
    this.#resent = this.#context.handleOpened(this, session);
    this.proceed();
  }

  /** The client of version 5 shows a new token. Everything else goes on meanwhile. */
  #renew(buffer: Buffer, body: number, end: number): void {
    const dialect = this.#dialect;
    const session = this.#session as Session;
    if (!(dialect instanceof Version5)) throw protocolError("version 3 has no AUTH");
    const password = dialect.readAuth(buffer, body, end);
    if (this.#isRenewing) throw protocolError("an AUTH is not answered yet");
    this.#isRenewing = true;
    const { clientId } = session;
    const attempt = { clientId, username: undefined, password, will: undefined, address: this.address };
    this.#context.renew(session, attempt).then(
      () => {
        this.#isRenewing = false;
        this.#sender.send(dialect.authenticated());
      },
      (thrown) => this.close("auth_refused", { error: ChatError.fromUnknown(thrown) }),
    );
  }

  #subscribe({ packetId, filters }: ReceivedFilters): void {
    const codes = filters.map(({ filter, qos }) => this.#grant(filter, qos));
    this.#sender.send(this.#dialect.suback(packetId, codes));
  }

  /** Returns the QoS that is granted, or the reason code of the refusal. */
  #grant(filter: string, qos: 0 | 1): number {
    const subscriptions = this.#subscriptions as Subscriptions;
    const { maxTopicBytes, maxTopicLevels, maxSubscriptions } = this.#context.limits;
    const fits = Buffer.byteLength(filter) <= maxTopicBytes && filter.split("/").length <= maxTopicLevels;
    if (!fits) return reasons.topicFilterInvalid;
    const hasRoom = subscriptions.has(filter) || subscriptions.size < maxSubscriptions;
    if (!hasRoom) return reasons.quotaExceeded;
    const allowed = this.#context.canSubscribe(this.#session as Session, filter, qos);
    if (allowed !== true) return allowed === false ? reasons.notAuthorized : reasons.unspecified;
    subscriptions.set(filter, qos);
    return qos;
  }

  #unsubscribe({ packetId, filters }: ReceivedFilters): void {
    const had = filters.map(({ filter }) => this.#subscriptions?.delete(filter) === true);
    this.#sender.send(this.#dialect.unsuback(packetId, had));
  }

  #publish(buffer: Buffer, start: number, body: number, end: number): boolean {
    const { paused, limits } = this.#context;
    const session = this.#session as Session;
    const dialect = this.#dialect;
    if (paused || this.#isDraining) return false;
    // [MQTT5-3.3.4-7]
    if (this.#window.unacknowledged >= dialect.receiveMaximum && ((buffer[start] as number) & 6) !== 0)
      throw protocolError("more publishes are unacknowledged than allowed", reasons.receiveMaximumExceeded);
    if (this.#window.size >= limits.maxInFlightPublishes) return false;
    if (this.#load.inFlight >= limits.maxInFlightPublishesPerUser && !session.admin) {
      this.#load.isFull = true;
      return false;
    }
    const { topic, qos, packetId, isDuplicate, payloadStart } = dialect.readPublish(buffer, start, body, end);
    const pending = this.#window.add(packetId, answers[qos] as number);
    if (qos === 2 && this.#window.holds(packetId)) {
      this.#window.settle(pending);
      return true;
    }
    if (qos === 2) this.#window.hold(packetId);
    const payload = buffer.subarray(payloadStart, end);
    // Assigned one by one: spreading them costs more than reading the packet.
    const inbound: Writable<Inbound> = { topic, payload };
    if (qos > 0) {
      const isRepeat = this.#resent?.delete(packetId) === true;
      inbound.packet = { id: packetId, isDuplicate: isRepeat || isDuplicate };
    }
    if (isCut(buffer, start, body, end)) inbound.isCut = true;
    if (dialect !== version3) inbound.onRefused = (error) => pending.refuse(error);
    this.#load.inFlight++;
    this.#context.handlePublish(session, inbound).then(
      () => {
        this.#window.settle(pending);
        this.#load.inFlight--;
        if (!this.#receiver.isEmpty) this.proceed();
        if (this.#load.isFull || this.#state === "closed") this.#context.handleSettled(session, this.#load);
        if (this.#isDraining) this.drain();
      },
      (thrown) => {
        const error = ChatError.fromUnknown(thrown);
        this.#load.inFlight--;
        this.#context.handleSettled(session, this.#load);
        this.close(this.#context.handleRefusedPublish(session, error), { error });
      },
    );
    return true;
  }

  /** Sends the acknowledgement of a settled publish. */
  #acknowledge({ answer, packetId, refusal }: PendingPublish): void {
    const told = refusal === null ? null : this.#dialect.refusePublish(answer, packetId, refusal);
    if (told === null) {
      this.#sender.acknowledge(answer, packetId);
      return;
    }
    // The client sends no PUBREL for it.
    if (answer === packetHeaders.pubrec) this.#window.release(packetId);
    this.#sender.send(told);
  }

  #release(packetId: number): void {
    const unknown = this.#window.release(packetId) ? null : this.#dialect.completeUnknown(packetId);
    if (unknown === null) this.#sender.acknowledge(packetHeaders.pubcomp, packetId);
    else this.#sender.send(unknown);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      if (!(thrown instanceof ProtocolViolation)) throw thrown;
      const { reason, message: detail, reasonCode } = thrown;
      this.close(reason, reasonCode === undefined ? { detail } : { detail, reasonCode });
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
  /**
   * Why that answer stands no more, or why there may not be one more session of the user; `null`: the session may begin.
   * Counts the refusal.
   */
  refusalOf(session: Session, address: string): ChatError | null;
  /** Renews the session's token. Counts refusals as {@link authenticate} does. */
  renew(session: Session, attempt: ConnectAttempt): Promise<void>;
  /** `undefined`: the handler failed. */
  canSubscribe(session: Session, filter: string, qos: 0 | 1): boolean | undefined;
  handlePublish(session: Session, inbound: Inbound): Promise<void>;
  /** A CONNECT of protocol `level` is refused before its token is checked. */
  handleRefusedConnect(connection: Connection, level: number): void;
  /**
   * CONNACK is on its way. This call comes before any other of the session. Returns the packet identifiers that the
   * client may use again for what it sent over its last connection; `null` for none.
   */
  handleOpened(connection: Connection, session: Session): Set<number> | null;
  /** The load of a session's user, from its opening to {@link handleClosed}. */
  loadOf(session: Session): UserLoad;
  /** A publish of the user was settled: others that wait for it, over any connection, may go on. */
  handleSettled(session: Session, load: UserLoad): void;
  /** The handler refused a publish. Returns the cause with which the connection is closed. */
  handleRefusedPublish(session: Session, error: ChatError): CloseCause;
  /** The connection was closed. Called once; `session` is null when there was no session. */
  handleClosed(connection: Connection, session: Session | null, cause: CloseCause, detail: string): void;
  /** The connection is closed and its transport is gone. */
  handleGone(connection: Connection): void;
}

const takenOver = Buffer.from(JSON.stringify({ code: "taken_over", message: errorCodes.taken_over.title }));

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Answers to a PUBLISH of QoS 0, 1 and 2. QoS 2 gets its own handshake, but only the guarantee of QoS 1. */
const answers = [0, packetHeaders.puback, packetHeaders.pubrec] as const;

function expectNoBody(body: number, end: number): void {
  if (end !== body) throw protocolError("a packet has a body that it must not have");
}

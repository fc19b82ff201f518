import type { ConnectAttempt, Inbound, Session } from "@chat21/engine";
import { packetHeaders, packetTypeMask } from "../codec/packet-types.ts";
import { ProtocolViolation } from "../codec/protocol-violation.ts";
import { readPacketId, readPublish } from "../codec/received-publish.ts";
import { isTopicFilter } from "../codec/topic-filter.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport, TransportOwner } from "../transport/transport.ts";
import { abruptCauses, type CloseCause } from "./close-cause.ts";
import type { ControlStream } from "./control-stream.ts";
import type { FlushQueue } from "./flush-queue.ts";
import { InboundWindow } from "./inbound-window.ts";
import { Inbox } from "./inbox.ts";
import { Liveness, type SweepClock } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import type { BrokerClient, Sessions } from "./session-broker.ts";
import { Subscriptions } from "./subscriptions.ts";

/** What all connections of an edge share. */
export interface ConnectionContext extends SweepClock {
  readonly limits: EdgeLimits;
  readonly sessions: Sessions;
  readonly flushQueue: FlushQueue;
  /** Publishes wait. */
  readonly paused: boolean;
  /** Asks the handler, within the limits of the peer's address. */
  authenticate(attempt: ConnectAttempt): Promise<Session>;
  canSubscribe(session: Session, filter: string): boolean;
  handlePublish(session: Session, inbound: Inbound): Promise<void>;
  /** CONNACK is on its way; comes before anything else of the session. */
  handleOpened(connection: Connection, session: Session): void;
  /** Why a publish is not acknowledged; answers with the cause to close for. */
  handleRefusedPublish(session: Session, thrown: unknown): CloseCause;
  /** Comes once; `session` is null when the connection was never opened. */
  handleClosed(connection: Connection, session: Session | null, cause: CloseCause, detail: string): void;
  /** It is closed and its transport is gone: nothing of the connection is left. */
  handleGone(connection: Connection): void;
}

/**
 * One client, from accept to the end. Packets of the session (CONNECT, SUBSCRIBE, UNSUBSCRIBE) go to aedes and its
 * answers back; messages go to the handler and come from it, without a detour.
 */
export class Connection implements TransportOwner, BrokerClient {
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #window: InboundWindow;
  readonly #liveness: Liveness;
  /** `greeting`: bytes have come, and no whole CONNECT yet; `connecting`: no CONNACK yet. */
  #state: "new" | "greeting" | "connecting" | "open" | "closed" = "new";
  #control: ControlStream | null = null;
  /** aedes has a SUBSCRIBE or UNSUBSCRIBE that it has not answered. */
  #awaitsAnswer = false;
  #session: Session | null = null;
  #subscriptions: Subscriptions | null = null;
  /** What is held is still handled when the client will send no more, and even when the transport is gone. */
  #transportState: "up" | "ended" | "gone" = "up";
  /** Closes as soon as nothing is unsettled. */
  #isDraining = false;

  constructor(transport: Transport, context: ConnectionContext) {
    const { limits, flushQueue } = context;
    this.#context = context;
    this.#transport = transport;
    this.#inbox = new Inbox(transport, limits, (buffer, start, body, end, isNext) =>
      this.#take(buffer, start, body, end, isNext),
    );
    this.#outbox = new Outbox(transport, flushQueue, limits, () => this.close("slow_consumer"));
    this.#window = new InboundWindow((header, packetId) => this.#outbox.acknowledge(header, packetId));
    this.#liveness = new Liveness(context);
    transport.attach(this);
  }

  get address(): string {
    return this.#transport.address;
  }

  /** `null` unless the session is up. */
  get session(): Session | null {
    return this.#state === "open" ? this.#session : null;
  }

  // From the transport

  handleData(chunk: Buffer): void {
    if (this.#state === "closed") return;
    // Until CONNACK the clock keeps running, however many bytes trickle in.
    if (this.#state === "open") this.#liveness.hear();
    this.#guard(() => {
      if (this.#state === "new") this.#greet(chunk);
      this.#inbox.read(chunk);
    });
  }

  handleEnd(): void {
    this.#transportState = "ended";
    if (this.#inbox.isEmpty) this.close("gone");
  }

  handleGone(): void {
    if (this.#transportState === "up") this.close("gone");
    this.#transportState = "gone";
    if (this.#state === "closed") this.#context.handleGone(this);
  }

  // From aedes

  async authenticate(attempt: ConnectAttempt, keepAliveSeconds: number): Promise<Session> {
    const session = await this.#context.authenticate(attempt);
    this.#session = session;
    this.#subscriptions = new Subscriptions(session.app, session.user);
    this.#liveness.promise(keepAliveSeconds);
    return session;
  }

  handleConnected(): void {
    if (this.#state !== "connecting" || this.#session === null) return;
    this.#state = "open";
    this.#context.handleOpened(this, this.#session);
    this.proceed();
  }

  subscribe(filter: string, qos: 0 | 1): boolean {
    const session = this.session;
    const subscriptions = this.#subscriptions;
    if (session === null || subscriptions === null) return false;
    const { maxTopicBytes, maxSubscriptions } = this.#context.limits;
    if (!isTopicFilter(filter) || Buffer.byteLength(filter) > maxTopicBytes) {
      this.close("protocol_error", "a filter is malformed or too long");
    } else if (!subscriptions.has(filter) && subscriptions.size >= maxSubscriptions) {
      this.close("protocol_error", "too many subscriptions");
    } else if (!this.#context.canSubscribe(session, filter)) {
      this.close("forbidden", "a subscription is not allowed");
    } else {
      subscriptions.set(filter, qos);
      return true;
    }
    return false;
  }

  unsubscribe(filters: readonly string[]): void {
    for (const filter of filters) this.#subscriptions?.delete(filter);
  }

  handleAnswer(packet: Buffer): void {
    this.#outbox.send(packet);
    if (!this.#awaitsAnswer) return;
    this.#awaitsAnswer = false;
    this.proceed();
  }

  handleControlClosed(error: Error | null): void {
    if (error !== null) this.close("protocol_error", error.message);
    else this.close(this.#session === null ? "refused" : "taken_over");
  }

  // From the edge

  /** The QoS with which the client wants `topic`; -1 when it does not. */
  qosOf(topic: string): 0 | 1 | -1 {
    return this.#state === "open" && this.#subscriptions !== null ? this.#subscriptions.qosOf(topic) : -1;
  }

  deliver(topic: string, payload: Buffer, qos: 0 | 1): void {
    this.#outbox.publish(topic, payload, qos);
  }

  /** Handles what had to wait, as far as it may be handled now. */
  proceed(): void {
    if (this.#state === "closed") return;
    // A client whose pings lie behind what waits cannot be heard.
    this.#liveness.hear();
    this.#guard(() => this.#inbox.proceed());
    if (this.#transportState !== "up" && this.#inbox.isEmpty) this.close("gone");
  }

  /** Closes for what should have come in time and has not. */
  sweep(): void {
    const { paused, limits } = this.#context;
    if (this.#state !== "open") {
      if (this.#liveness.isSilentFor(limits.connectTimeoutMs)) this.close("connect_timeout");
    } else if (!paused && this.#inbox.isEmpty && this.#liveness.isOverdue()) {
      this.close("keep_alive_timeout");
    }
  }

  /** Takes no more publishes and closes when all that were taken are settled and acknowledged. */
  drain(): void {
    this.#isDraining = true;
    if (this.#window.size === 0) this.close("shutting_down");
  }

  close(cause: CloseCause, detail = ""): void {
    if (this.#state === "closed") return;
    const session = this.session;
    this.#state = "closed";
    this.#inbox.stop();
    if (abruptCauses.has(cause)) {
      this.#outbox.discard();
      this.#transport.destroy();
    } else {
      this.#outbox.finish();
      this.#transport.end();
    }
    this.#control?.destroy();
    this.#context.handleClosed(this, session, cause, detail);
    if (this.#transportState === "gone") this.#context.handleGone(this);
  }

  /** Closes without waiting for the last bytes to leave. */
  destroy(): void {
    this.close("shutting_down");
    this.#transport.destroy();
  }

  // Packets

  /** The first byte tells an MQTT client from anything else ([MQTT-3.1.0-1]). */
  #greet(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (chunk[0] !== packetHeaders.connect) throw violation("the first packet is no CONNECT");
    this.#state = "greeting";
  }

  #take(buffer: Buffer, start: number, body: number, end: number, isNext: boolean): boolean {
    const header = buffer[start] as number;
    if (this.#state === "greeting") return this.#connect(buffer.subarray(start, end));
    if (this.#state !== "open") return false;
    switch (header) {
      // The place of these in the stream does not matter: they overtake what waits.
      case packetHeaders.puback:
        this.#outbox.release(readPacketId(buffer, body, end));
        return true;
      case packetHeaders.pubrel:
        this.#outbox.acknowledge(packetHeaders.pubcomp, readPacketId(buffer, body, end));
        return true;
      case packetHeaders.pingreq:
        this.#outbox.respondToPing();
        return true;
    }
    if (!isNext || this.#awaitsAnswer) return false;
    if ((header & packetTypeMask) === packetHeaders.publish) return this.#publish(buffer, start, body, end);
    return this.#takeSessionPacket(header, buffer.subarray(start, end));
  }

  #connect(packet: Buffer): boolean {
    this.#state = "connecting";
    this.#control = this.#context.sessions.open(this);
    this.#control.push(packet);
    return true;
  }

  #takeSessionPacket(header: number, packet: Buffer): boolean {
    switch (header) {
      case packetHeaders.subscribe:
      case packetHeaders.unsubscribe:
        this.#awaitsAnswer = true;
        this.#control?.push(packet);
        return true;
      case packetHeaders.disconnect:
        this.close("disconnected");
        return true;
      default:
        // A second CONNECT ([MQTT-3.1.0-2]), what only servers send, answers to QoS 2 that we never send, wrong flags.
        throw violation(`a packet that begins with ${header} is not allowed here`);
    }
  }

  #publish(buffer: Buffer, start: number, body: number, end: number): boolean {
    const { paused, limits } = this.#context;
    const session = this.#session as Session;
    if (paused || this.#isDraining || this.#window.size >= limits.maxInFlightPublishes) return false;
    const { topic, qos, packetId, payloadStart } = readPublish(buffer, start, body, end, limits);
    const pending = this.#window.add(packetId, answers[qos] as number);
    this.#context.handlePublish(session, { topic, payload: buffer.subarray(payloadStart, end) }).then(
      () => {
        this.#window.settle(pending);
        if (!this.#inbox.isEmpty) this.proceed();
        if (this.#isDraining) this.drain();
      },
      (thrown) => this.close(this.#context.handleRefusedPublish(session, thrown), "a publish is not allowed"),
    );
    return true;
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

/** What a PUBLISH of QoS 0, 1 and 2 is answered with. QoS 2 gets its handshake, and the promise of QoS 1. */
const answers = [0, packetHeaders.puback, packetHeaders.pubrec] as const;

function violation(message: string): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message);
}

import type { ConnectAttempt, Inbound, Session } from "@chat21/engine";
import { FrameReader } from "../codec/frame-reader.ts";
import { packetHeaders, packetTypeMask } from "../codec/packet-types.ts";
import { ProtocolViolation } from "../codec/protocol-violation.ts";
import { readPacketId, readPublish } from "../codec/received-publish.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport, TransportOwner } from "../transport/transport.ts";
import { abruptCauses, type CloseCause } from "./close-cause.ts";
import type { ControlStream } from "./control-stream.ts";
import type { FlushQueue } from "./flush-queue.ts";
import { HeldPackets } from "./held-packets.ts";
import { InboundWindow } from "./inbound-window.ts";
import { Outbox } from "./outbox.ts";
import type { BrokerClient, Sessions } from "./session-broker.ts";
import { Subscriptions } from "./subscriptions.ts";

/** What all connections of an edge share. */
export interface ConnectionContext {
  readonly limits: EdgeLimits;
  readonly sessions: Sessions;
  readonly flushQueue: FlushQueue;
  /** Publishes wait. */
  readonly paused: boolean;
  /** A monotonic clock that moves with every sweep, milliseconds. */
  readonly nowMs: number;
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
  /** The transport is gone as well; nothing of the connection is left. */
  handleGone(connection: Connection): void;
}

/** MQTT's grace on top of the keep-alive ([MQTT-3.1.2-24]). */
const keepAliveFactor = 1.5;

/**
 * One client. Cuts its bytes into packets, hands those of the session to aedes and the messages to the handler, in the
 * order in which they came; packets whose time has not come wait here, and behind a bound the transport is not read.
 */
export class Connection implements TransportOwner, BrokerClient {
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #reader: FrameReader;
  readonly #outbox: Outbox;
  readonly #window = new InboundWindow();
  readonly #held = new HeldPackets();
  #state: "new" | "connecting" | "open" | "closed" = "new";
  #control: ControlStream | null = null;
  /** aedes has a SUBSCRIBE or UNSUBSCRIBE that it has not answered. */
  #awaitsAnswer = false;
  #session: Session | null = null;
  #subscriptions: Subscriptions | null = null;
  #keepAliveMs = 0;
  /** When the connection was opened or, since then, last heard of. */
  #lastSeenMs: number;
  #isReading = true;
  /** The client will send no more; what is held is still handled. */
  #hasEnded = false;
  /** Closes as soon as nothing is unsettled. */
  #isDraining = false;
  readonly #acknowledge = (header: number, packetId: number) => this.#outbox.acknowledge(header, packetId);

  constructor(transport: Transport, context: ConnectionContext) {
    this.#context = context;
    this.#transport = transport;
    this.#lastSeenMs = context.nowMs;
    this.#reader = new FrameReader(context.limits.maxPacketBytes, (buffer, start, body, end) => {
      this.#handlePacket(buffer, start, body, end);
    });
    this.#outbox = new Outbox(transport, context.flushQueue, context.limits, () =>
      this.close("slow_consumer"),
    );
    transport.attach(this);
  }

  get address(): string {
    return this.#transport.address;
  }

  /** Whether the session is up; `null` in {@link session} otherwise. */
  get session(): Session | null {
    return this.#state === "open" ? this.#session : null;
  }

  // From the transport

  handleData(chunk: Buffer): void {
    if (this.#state === "closed") return;
    // Until CONNACK the clock keeps running, however many bytes trickle in.
    if (this.#state === "open") this.#lastSeenMs = this.#context.nowMs;
    this.#guard(() => this.#reader.read(chunk));
  }

  handleEnd(): void {
    this.#hasEnded = true;
    if (this.#held.isEmpty) this.close("gone");
  }

  handleGone(): void {
    if (!this.#hasEnded) this.close("gone");
    this.#context.handleGone(this);
  }

  // From aedes

  async authenticate(attempt: ConnectAttempt, keepAliveSeconds: number): Promise<Session> {
    this.#session = await this.#context.authenticate(attempt);
    this.#subscriptions = new Subscriptions(this.#session.app, this.#session.user);
    this.#keepAliveMs = keepAliveSeconds * 1_000;
    return this.#session;
  }

  handleConnected(): void {
    if (this.#state !== "connecting" || this.#session === null) return;
    this.#state = "open";
    this.#lastSeenMs = this.#context.nowMs;
    this.#context.handleOpened(this, this.#session);
    this.proceed();
  }

  subscribe(filter: string, qos: 0 | 1): boolean {
    const session = this.session;
    if (session === null || this.#subscriptions === null) return false;
    const { limits } = this.#context;
    const isNew = !this.#subscriptions.has(filter);
    if (
      filter.length > limits.maxTopicBytes ||
      (isNew && this.#subscriptions.size >= limits.maxSubscriptions)
    ) {
      this.close("protocol_error", "too many or too long subscriptions");
      return false;
    }
    // aedes decodes what is not UTF-8 to U+FFFD ([MQTT-1.5.3-1], [MQTT-1.5.3-2]).
    if (/[\0\uFFFD]/.test(filter) || !this.#context.canSubscribe(session, filter)) {
      this.close("forbidden", "a subscription is not allowed");
      return false;
    }
    this.#subscriptions.set(filter, qos);
    return true;
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

  /** Handles what is held, as far as it may be handled now. */
  proceed(): void {
    this.#guard(() => {
      for (let held = this.#held.first(); held !== undefined; held = this.#held.first()) {
        if (!this.#take(held.buffer, held.start, held.body, held.end)) return;
        this.#held.removeFirst();
      }
    });
    if (this.#state === "closed" || !this.#held.isEmpty) return;
    if (this.#hasEnded) {
      this.close("gone");
    } else if (!this.#isReading) {
      this.#isReading = true;
      this.#lastSeenMs = this.#context.nowMs;
      this.#transport.resume();
    }
  }

  /** Publishes were paused and are not any more. */
  handleUnpaused(): void {
    // A client whose pings lay behind its publishes could not be heard.
    if (this.#state === "open") this.#lastSeenMs = this.#context.nowMs;
    this.proceed();
  }

  /** Closes for what should have come in time and has not. */
  sweep(): void {
    const { nowMs, paused, limits } = this.#context;
    const silentMs = nowMs - this.#lastSeenMs;
    if (this.#state === "open") {
      if (this.#keepAliveMs === 0 || paused || !this.#isReading || !this.#held.isEmpty) return;
      if (silentMs > this.#keepAliveMs * keepAliveFactor) this.close("keep_alive_timeout");
    } else if (silentMs > limits.connectTimeoutMs) {
      this.close("connect_timeout");
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
    this.#reader.stop();
    this.#held.clear();
    if (abruptCauses.has(cause)) {
      this.#outbox.discard();
      this.#transport.destroy();
    } else {
      this.#outbox.finish();
      this.#transport.end();
    }
    this.#control?.destroy();
    this.#context.handleClosed(this, session, cause, detail);
  }

  /** Does not wait for the last bytes to leave. */
  destroy(): void {
    this.close("shutting_down");
    this.#transport.destroy();
  }

  // Packets

  #handlePacket(buffer: Buffer, start: number, body: number, end: number): void {
    if (this.#state === "closed") return;
    const type = (buffer[start] as number) & packetTypeMask;
    const mayOvertake = this.#state === "open" && overtaking.has(type);
    if ((mayOvertake || this.#held.isEmpty) && this.#take(buffer, start, body, end)) return;
    this.#held.add({ buffer, start, body, end });
    if (this.#isReading && this.#held.bytes > this.#context.limits.maxHeldBytes) {
      this.#isReading = false;
      this.#transport.pause();
    }
  }

  /** Handles a packet; `false` when it has to wait. Throws `ProtocolViolation`. */
  #take(buffer: Buffer, start: number, body: number, end: number): boolean {
    const header = buffer[start] as number;
    if (this.#state === "new") {
      // [MQTT-3.1.0-1]
      if (header !== packetHeaders.connect) throw violation("the first packet is no CONNECT");
      this.#state = "connecting";
      this.#control = this.#context.sessions.open(this);
      this.#control.push(buffer.subarray(start, end));
      return true;
    }
    if (this.#state !== "open" || this.#awaitsAnswer) return false;
    if ((header & packetTypeMask) === packetHeaders.publish) return this.#publish(buffer, start, body, end);
    switch (header) {
      case packetHeaders.puback:
        this.#outbox.release(readPacketId(buffer, body, end));
        return true;
      case packetHeaders.pubrel:
        this.#outbox.acknowledge(packetHeaders.pubcomp, readPacketId(buffer, body, end));
        return true;
      case packetHeaders.pingreq:
        this.#outbox.respondToPing();
        return true;
      case packetHeaders.subscribe:
      case packetHeaders.unsubscribe:
        this.#awaitsAnswer = true;
        this.#control?.push(buffer.subarray(start, end));
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
        this.#window.settle(pending, this.#acknowledge);
        if (!this.#held.isEmpty) this.proceed();
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

/** Packets whose place in the stream does not matter: they are handled even when others wait. */
const overtaking: ReadonlySet<number> = new Set([
  packetHeaders.puback,
  packetHeaders.pubrel & packetTypeMask,
  packetHeaders.pingreq,
]);

function violation(message: string): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message);
}

import { OutgoingPackets, version5PublishBytes } from "../codec/outgoing-packets.ts";
import { packetHeaders } from "../codec/packet-types.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport } from "../transport/transport.ts";
import type { Dialect } from "./dialect.ts";
import type { Flushable, FlushQueue } from "./flush-queue.ts";
import { PacketIds } from "./packet-ids.ts";
import { WaitingDeliveries } from "./waiting-deliveries.ts";

/**
 * The outgoing packets of one client. They are collected during a turn of the event loop and written at its end. When
 * too much is unread or unacknowledged, it collects no more, and calls `handleOverflow` once, at the end of the
 * turn.
 */
export class PacketSender implements Flushable {
  readonly #transport: Transport;
  readonly #flushQueue: FlushQueue;
  readonly #limits: EdgeLimits;
  readonly #handleOverflow: () => void;
  readonly #packets = new OutgoingPackets();
  readonly #packetIds: PacketIds;
  /** Only for clients that set limits of their own, as those of version 5. */
  #waiting: WaitingDeliveries | null = null;
  #maxClientPacketBytes = Number.POSITIVE_INFINITY;
  #queued = false;
  #state: "open" | "overflowed" | "closed" = "open";

  constructor(transport: Transport, flushQueue: FlushQueue, limits: EdgeLimits, handleOverflow: () => void) {
    this.#transport = transport;
    this.#flushQueue = flushQueue;
    this.#limits = limits;
    this.#packetIds = new PacketIds(limits.maxUnacknowledgedDeliveries);
    this.#handleOverflow = handleOverflow;
  }

  /** Bytes that wait for acknowledgements of earlier deliveries. */
  get waitingBytes(): number {
    return this.#waiting?.bytes ?? 0;
  }

  /** Keeps the limits of a client of version 5, and writes for it. */
  useVersion5({ clientReceiveMaximum, maxClientPacketBytes }: Dialect): void {
    this.#packets.useVersion5();
    this.#packetIds.limit(Math.min(clientReceiveMaximum, this.#limits.maxUnacknowledgedDeliveries));
    this.#waiting = new WaitingDeliveries();
    this.#maxClientPacketBytes = maxClientPacketBytes;
  }

  /** Sends a delivery. `payload` is shared and never changed. */
  publish(topic: string, payload: Buffer, qos: 0 | 1): void {
    if (this.#state !== "open") return;
    if (this.#waiting !== null) this.#publishInTurn(this.#waiting, topic, payload, qos);
    else this.#publishNow(topic, payload, qos);
  }

  /** A delivery waits while the client has as many unacknowledged ones as it takes, and while others wait. */
  #publishInTurn(waiting: WaitingDeliveries, topic: string, payload: Buffer, qos: 0 | 1): void {
    const bytes = version5PublishBytes(topic, payload.length, qos);
    // [MQTT5-3.1.2-24], [MQTT5-3.1.2-25]
    if (bytes > this.#maxClientPacketBytes) return;
    if (waiting.size === 0 && (qos === 0 || this.#packetIds.hasFree)) {
      this.#publishNow(topic, payload, qos);
      return;
    }
    waiting.add({ topic, payload, qos });
    const { maxBufferedBytes, maxUnacknowledgedDeliveries } = this.#limits;
    const unacknowledged = this.#packetIds.used + waiting.size;
    if (waiting.bytes > maxBufferedBytes || unacknowledged > maxUnacknowledgedDeliveries) this.#overflow();
  }

  #publishNow(topic: string, payload: Buffer, qos: 0 | 1): void {
    const packetId = qos === 0 ? 0 : this.#packetIds.take();
    if (qos === 1 && packetId === 0) {
      this.#overflow();
    } else {
      this.#packets.addPublish(topic, payload, packetId);
      this.#collected();
    }
  }

  /** The client has acknowledged a QoS 1 delivery. */
  release(packetId: number): void {
    this.#packetIds.release(packetId);
    const waiting = this.#waiting;
    if (waiting === null || waiting.size === 0) return;
    for (let next = waiting.next; next !== undefined; next = waiting.next) {
      if (this.#state !== "open" || (next.qos === 1 && !this.#packetIds.hasFree)) return;
      waiting.shift();
      this.#publishNow(next.topic, next.payload, next.qos);
    }
  }

  /** Sends a PUBACK, PUBREC or PUBCOMP. */
  acknowledge(header: number, packetId: number): void {
    if (this.#state !== "open") return;
    this.#packets.addAcknowledgement(header, packetId);
    this.#collected();
  }

  respondToPing(): void {
    this.send(pingresp);
  }

  /** Sends a packet that is already encoded. */
  send(packet: Buffer): void {
    if (this.#state !== "open") return;
    this.#packets.addEncoded(packet);
    this.#collected();
  }

  /** Called by the flush queue, once per turn. */
  flush(): void {
    this.#queued = false;
    if (this.#state === "open") this.#write();
    if (this.#state === "overflowed") this.#handleOverflow();
  }

  /** Sends a packet behind which nothing follows, even after too much was collected. */
  sendLast(packet: Buffer): void {
    this.#packets.addEncoded(packet);
    this.#state = "open";
  }

  /** Writes the collected packets and takes no more. */
  finish(): void {
    if (this.#state === "open" && this.#packets.bytes > 0) this.#transport.write(this.#packets.take());
    this.discard();
  }

  /** Drops the collected packets and takes no more. */
  discard(): void {
    this.#state = "closed";
    this.#waiting = null;
    this.#packets.clear();
  }

  #collected(): void {
    if (!this.#queued) {
      this.#queued = true;
      this.#flushQueue.add(this);
    }
    if (this.#packets.bytes >= flushFromBytes) this.#write();
  }

  #write(): void {
    if (this.#packets.bytes === 0) return;
    this.#transport.write(this.#packets.take());
    if (this.#transport.bufferedBytes > this.#limits.maxBufferedBytes) this.#overflow();
  }

  // The owner is told at the end of the turn, because it calls the handler, which may be delivering right now.
  #overflow(): void {
    this.#state = "overflowed";
    this.#packets.clear();
    if (this.#queued) return;
    this.#queued = true;
    this.#flushQueue.add(this);
  }
}

/** This many collected bytes are written at once, without waiting for the end of the turn. */
const flushFromBytes = 64 * 1_024;

const pingresp = Buffer.from([packetHeaders.pingresp, 0]);

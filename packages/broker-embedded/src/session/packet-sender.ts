import { OutgoingPackets } from "../codec/outgoing-packets.ts";
import { packetHeaders } from "../codec/packet-types.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport } from "../transport/transport.ts";
import type { Flushable, FlushQueue } from "./flush-queue.ts";
import { PacketIds } from "./packet-ids.ts";

/**
 * The outgoing packets of one client. They are collected during a turn of the event loop and written at its end. When
 * too much is unread or unacknowledged, it collects no more, and calls `handleOverflow` once, at the end of the
 * turn.
 */
export class PacketSender implements Flushable {
  readonly #transport: Transport;
  readonly #flushQueue: FlushQueue;
  readonly #maxBufferedBytes: number;
  readonly #handleOverflow: () => void;
  readonly #packets = new OutgoingPackets();
  readonly #packetIds: PacketIds;
  #queued = false;
  #state: "open" | "overflowed" | "closed" = "open";

  constructor(transport: Transport, flushQueue: FlushQueue, limits: EdgeLimits, handleOverflow: () => void) {
    this.#transport = transport;
    this.#flushQueue = flushQueue;
    this.#maxBufferedBytes = limits.maxBufferedBytes;
    this.#packetIds = new PacketIds(limits.maxUnacknowledgedDeliveries);
    this.#handleOverflow = handleOverflow;
  }

  /** Sends a delivery. `payload` is shared and never changed. */
  publish(topic: string, payload: Buffer, qos: 0 | 1): void {
    if (this.#state !== "open") return;
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

  /** Writes the collected packets and takes no more. */
  finish(): void {
    if (this.#state === "open" && this.#packets.bytes > 0) this.#transport.write(this.#packets.take());
    this.discard();
  }

  /** Drops the collected packets and takes no more. */
  discard(): void {
    this.#state = "closed";
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
    if (this.#transport.bufferedBytes > this.#maxBufferedBytes) this.#overflow();
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

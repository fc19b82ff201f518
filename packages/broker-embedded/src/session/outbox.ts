import { OutgoingPackets } from "../codec/outgoing-packets.ts";
import { packetHeaders } from "../codec/packet-types.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport } from "../transport/transport.ts";
import type { Flushable, FlushQueue } from "./flush-queue.ts";
import { PacketIds } from "./packet-ids.ts";

/** Collected bytes that are not worth waiting for the end of the turn. */
const flushFromBytes = 64 * 1_024;

/**
 * What goes to one client: collected during a turn, written once at its end. When the client does not take it, no more
 * is collected and the owner is told once, at the end of the turn.
 */
export class Outbox implements Flushable {
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

  /** A delivery; `payload` is shared and not changed. */
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

  /** The client has taken a QoS 1 delivery. */
  release(packetId: number): void {
    this.#packetIds.release(packetId);
  }

  /** PUBACK, PUBREC or PUBCOMP. */
  acknowledge(header: number, packetId: number): void {
    if (this.#state !== "open") return;
    this.#packets.addAcknowledgement(header, packetId);
    this.#collected();
  }

  respondToPing(): void {
    this.send(pingresp);
  }

  /** A packet that is encoded already. */
  send(packet: Buffer): void {
    if (this.#state !== "open") return;
    this.#packets.addEncoded(packet);
    this.#collected();
  }

  /** Called by the queue, once per turn. */
  flush(): void {
    this.#queued = false;
    if (this.#state === "open") this.#write();
    if (this.#state === "overflowed") this.#handleOverflow();
  }

  /** Writes what was collected and takes no more. */
  finish(): void {
    if (this.#state === "open" && this.#packets.bytes > 0) this.#transport.write(this.#packets.take());
    this.discard();
  }

  /** Forgets what was collected and takes no more. */
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

  // The owner is told at the end of the turn: it reports to the handler, which may be the one who is delivering.
  #overflow(): void {
    this.#state = "overflowed";
    this.#packets.clear();
    if (this.#queued) return;
    this.#queued = true;
    this.#flushQueue.add(this);
  }
}

const pingresp = Buffer.from([packetHeaders.pingresp, 0]);

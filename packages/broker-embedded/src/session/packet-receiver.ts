import { type FrameHandler, FrameReader } from "../codec/frame-reader.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport } from "../transport/transport.ts";

/**
 * The incoming packets of one client, in order. A packet that cannot be taken yet is held. When more than
 * `maxHeldBytes` are held, the transport is not read until all of them are taken.
 */
export class PacketReceiver {
  readonly #transport: Transport;
  readonly #maxHeldBytes: number;
  readonly #take: TakePacket;
  readonly #reader: FrameReader;
  #held: HeldPacket[] = [];
  #next = 0;
  #heldBytes = 0;
  #isReading = true;

  constructor(transport: Transport, limits: EdgeLimits, take: TakePacket) {
    this.#transport = transport;
    this.#maxHeldBytes = limits.maxHeldBytes;
    this.#take = take;
    const { maxPacketBytes, maxDroppedPacketBytes } = limits;
    const handle: FrameHandler = (buffer, start, body, end) => {
      if (!take(buffer, start, body, end, this.isEmpty)) this.#hold({ buffer, start, body, end });
    };
    this.#reader = new FrameReader(maxPacketBytes, handle, maxDroppedPacketBytes);
  }

  /** No packet is held. */
  get isEmpty(): boolean {
    return this.#next === this.#held.length;
  }

  /** Takes or holds the packets of `chunk`. Throws `ProtocolViolation`. */
  read(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  /** Takes held packets, as many as possible now. Throws `ProtocolViolation`. */
  proceed(): void {
    for (let held = this.#held[this.#next]; held !== undefined; held = this.#held[this.#next]) {
      if (!this.#take(held.buffer, held.start, held.body, held.end, true)) return;
      // `take` may have stopped and emptied this receiver.
      if (this.isEmpty) return;
      this.#next++;
      this.#heldBytes -= held.end - held.start;
    }
    this.#forget();
    if (this.#isReading) return;
    this.#isReading = true;
    this.#transport.resume();
  }

  /** Takes no more packets and drops the held ones. */
  stop(): void {
    this.#reader.stop();
    this.#forget();
  }

  #hold(packet: HeldPacket): void {
    this.#held.push(packet);
    this.#heldBytes += packet.end - packet.start;
    if (!this.#isReading || this.#heldBytes <= this.#maxHeldBytes) return;
    this.#isReading = false;
    this.#transport.pause();
  }

  #forget(): void {
    this.#held = [];
    this.#next = 0;
    this.#heldBytes = 0;
  }
}

/**
 * Handles the packet `[start, end)` of `buffer`, whose variable header begins at `body`. Returns `false` when the
 * packet has to wait. `isNext`: no earlier packet waits. May throw `ProtocolViolation`.
 */
export type TakePacket = (
  buffer: Buffer,
  start: number,
  body: number,
  end: number,
  isNext: boolean,
) => boolean;

interface HeldPacket {
  readonly buffer: Buffer;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

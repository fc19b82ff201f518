import { FrameReader } from "../codec/frame-reader.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { Transport } from "../transport/transport.ts";

/**
 * Handles the packet `[start, end)` of `buffer`, whose variable header begins at `body`. `false`: it has to wait.
 * `isNext`: nothing that came before it waits. May throw `ProtocolViolation`.
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

/**
 * What comes from one client, packet by packet and in order. Packets that cannot be taken yet are held; when too much
 * is held the transport is not read, until all of it is taken.
 */
export class Inbox {
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
    this.#reader = new FrameReader(limits.maxPacketBytes, (buffer, start, body, end) => {
      if (!take(buffer, start, body, end, this.isEmpty)) this.#hold({ buffer, start, body, end });
    });
  }

  /** Nothing is held. */
  get isEmpty(): boolean {
    return this.#next === this.#held.length;
  }

  /** Throws `ProtocolViolation`. */
  read(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  /** Takes what is held, as far as that is possible now. Throws `ProtocolViolation`. */
  proceed(): void {
    for (let held = this.#held[this.#next]; held !== undefined; held = this.#held[this.#next]) {
      if (!this.#take(held.buffer, held.start, held.body, held.end, true)) return;
      // Taking it may have stopped this inbox and emptied it.
      if (this.isEmpty) return;
      this.#next++;
      this.#heldBytes -= held.end - held.start;
    }
    this.#forget();
    if (this.#isReading) return;
    this.#isReading = true;
    this.#transport.resume();
  }

  /** Takes nothing more, and forgets what is held. */
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

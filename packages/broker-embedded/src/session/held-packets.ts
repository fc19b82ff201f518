/** One packet that waits for its turn; see `FrameHandler` for the numbers. */
export interface HeldPacket {
  readonly buffer: Buffer;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** Packets in the order in which they came, which must not be handled yet. */
export class HeldPackets {
  #packets: HeldPacket[] = [];
  #next = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#next === this.#packets.length;
  }

  add(packet: HeldPacket): void {
    this.#packets.push(packet);
    this.#bytes += packet.end - packet.start;
  }

  /** The one whose turn it is; it stays until {@link removeFirst}. */
  first(): HeldPacket | undefined {
    return this.#packets[this.#next];
  }

  removeFirst(): void {
    const packet = this.#packets[this.#next];
    if (packet === undefined) return;
    this.#bytes -= packet.end - packet.start;
    this.#next++;
    if (this.isEmpty) this.clear();
  }

  clear(): void {
    this.#packets = [];
    this.#next = 0;
    this.#bytes = 0;
  }
}

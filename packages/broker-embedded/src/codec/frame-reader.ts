import { packetHeaders, packetTypeMask } from "./packet-types.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/**
 * Cuts a byte stream into MQTT packets. A packet that arrives in one piece is not copied. The announced length of a
 * packet is checked before its bytes are kept, and the buffer is never larger than twice the bytes that have arrived.
 * Of a PUBLISH that is larger than a packet may be, only the beginning is kept and handed over ({@link isCut}); the rest
 * is read and dropped.
 */
export class FrameReader {
  readonly #maxPacketBytes: number;
  readonly #maxCutBytes: number;
  readonly #handleFrame: FrameHandler;
  #partial: Buffer | null = null;
  #partialBytes = 0;
  #stopped = false;
  /** Results of {@link #measure}. They are fields, so that no object is made per packet. */
  #body = 0;
  #end = 0;
  #excess = 0;
  /** Bytes of a cut packet that are still to be dropped. */
  #toDrop = 0;

  /** `maxCutBytes`: largest PUBLISH that is cut instead of refused. */
  constructor(maxPacketBytes: number, handleFrame: FrameHandler, maxCutBytes = maxPacketBytes) {
    this.#maxPacketBytes = maxPacketBytes;
    this.#maxCutBytes = maxCutBytes;
    this.#handleFrame = handleFrame;
  }

  /** Hands over every complete packet. Throws {@link ProtocolViolation}; the stream cannot be used after that. */
  read(chunk: Buffer): void {
    let at = this.#partial === null ? 0 : this.#completePartial(chunk);
    while (at < chunk.length && !this.#stopped) {
      if (this.#toDrop > 0) {
        const dropped = Math.min(this.#toDrop, chunk.length - at);
        this.#toDrop -= dropped;
        at += dropped;
        continue;
      }
      if (!this.#measure(chunk, at, chunk.length) || this.#end > chunk.length) {
        this.#keep(chunk, at);
        return;
      }
      const end = this.#end;
      this.#toDrop = this.#excess;
      this.#handleFrame(chunk, at, this.#body, end);
      at = end;
    }
  }

  /** Stops the reader: nothing more is handed over, not even the rest of the current chunk. */
  stop(): void {
    this.#stopped = true;
    this.#partial = null;
  }

  /** Reads the fixed header at `start`. Returns `false` when it is incomplete. */
  #measure(buffer: Buffer, start: number, available: number): boolean {
    let length = 0;
    let factor = 1;
    for (let at = start + 1; at < available; at++) {
      const byte = buffer[at] as number;
      length += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.#body = at + 1;
        this.#end = at + 1 + length;
        const bytes = this.#end - start;
        this.#excess = Math.max(0, bytes - this.#maxPacketBytes);
        if (this.#excess === 0) return true;
        const isPublish = ((buffer[start] as number) & packetTypeMask) === packetHeaders.publish;
        if (!isPublish || bytes > this.#maxCutBytes) {
          throw new ProtocolViolation("packet_too_large", `a packet of ${bytes} bytes was announced`);
        }
        this.#end = start + this.#maxPacketBytes;
        return true;
      }
      factor *= 128;
      if (at - start === maxHeaderBytes - 1) {
        throw new ProtocolViolation("protocol_error", "a packet's length has more than four bytes");
      }
    }
    return false;
  }

  #keep(chunk: Buffer, start: number): void {
    this.#partialBytes = chunk.length - start;
    this.#partial = Buffer.allocUnsafe(Math.max(firstAllocationBytes, this.#partialBytes));
    chunk.copy(this.#partial, 0, start);
  }

  /** Adds bytes of `chunk` to the packet begun earlier. Returns how many bytes it took. */
  #completePartial(chunk: Buffer): number {
    let partial = this.#partial as Buffer;
    let at = 0;
    // The header is read byte by byte, because only bytes of this packet may be taken.
    while (!this.#measure(partial, 0, this.#partialBytes)) {
      if (at === chunk.length) return at;
      partial[this.#partialBytes++] = chunk[at++] as number;
    }
    const take = Math.min(this.#end - this.#partialBytes, chunk.length - at);
    if (this.#partialBytes + take > partial.length) {
      const wanted = Math.max(partial.length * 2, this.#partialBytes + take);
      const grown = Buffer.allocUnsafe(Math.min(this.#end, wanted));
      partial.copy(grown, 0, 0, this.#partialBytes);
      this.#partial = partial = grown;
    }
    chunk.copy(partial, this.#partialBytes, at, at + take);
    this.#partialBytes += take;
    if (this.#partialBytes === this.#end) {
      this.#partial = null;
      this.#toDrop = this.#excess;
      this.#handleFrame(partial, 0, this.#body, this.#end);
    }
    return at + take;
  }
}

/** Takes one whole packet: the bytes `[start, end)` of `buffer`. Its variable header begins at `body`. */
export type FrameHandler = (buffer: Buffer, start: number, body: number, end: number) => void;

/** Whether the packet `[start, end)` is only the beginning of the one that was sent: it announces more bytes. */
export function isCut(buffer: Buffer, start: number, body: number, end: number): boolean {
  let length = 0;
  for (let at = body - 1; at > start; at--) length = length * 128 + ((buffer[at] as number) & 0x7f);
  return length > end - body;
}

/** A fixed header has at most five bytes: one for the type, one to four for the length. */
const maxHeaderBytes = 5;
const firstAllocationBytes = 1_024;

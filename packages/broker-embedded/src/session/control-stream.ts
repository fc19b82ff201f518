import { Duplex } from "node:stream";
import { packetHeaders } from "../codec/packet-types.ts";

/**
 * The stream that aedes uses as the client's connection. It carries only packets of the session (CONNECT, SUBSCRIBE,
 * UNSUBSCRIBE and their answers). Messages never pass through aedes.
 */
export class ControlStream extends Duplex {
  readonly owner: ControlOwner;

  constructor(owner: ControlOwner) {
    super({ decodeStrings: true });
    this.owner = owner;
  }

  override _read(): void {
    // Packets are pushed as they come. There is never more than one.
  }

  // aedes writes a packet in several pieces and uncorks at the end, so all pieces arrive here together.
  override _writev(pieces: readonly { readonly chunk: Buffer }[], done: () => void): void {
    const packet = Buffer.concat(pieces.map((piece) => piece.chunk));
    if (packet[0] === packetHeaders.suback) grantAtMostOnce(packet);
    this.owner.handleAnswer(packet);
    done();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.owner.handleControlClosed(error);
    // The owner has been told. Passing the error on would emit "error", which needs a listener.
    done(null);
  }
}

/** The owner of a {@link ControlStream}. */
export interface ControlOwner {
  /** aedes sends `packet` to the client. */
  handleAnswer(packet: Buffer): void;
  /** aedes has closed the stream. `error` is set when the client broke the protocol. */
  handleControlClosed(error: Error | null): void;
}

/**
 * Writes QoS 1 where aedes granted QoS 2: this edge delivers QoS 1 at most, and the SUBACK must say so
 * ([MQTT-3.8.4-6]).
 */
function grantAtMostOnce(suback: Buffer): void {
  let lengthEnd = 2;
  while ((suback[lengthEnd - 1] as number) >= 0x80) lengthEnd++;
  for (let at = lengthEnd + 2; at < suback.length; at++) {
    if (suback[at] === 2) suback[at] = 1;
  }
}

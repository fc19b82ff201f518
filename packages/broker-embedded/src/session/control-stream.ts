import { Duplex } from "node:stream";
import { packetHeaders } from "../codec/packet-types.ts";

/** Who owns a {@link ControlStream}. */
export interface ControlOwner {
  /** A packet that aedes answers with. */
  handleAnswer(packet: Buffer): void;
  /** aedes has closed the stream; with an error when the client broke the protocol. */
  handleControlClosed(error: Error | null): void;
}

/**
 * What aedes takes for the client's connection. It carries the packets of the session only (CONNECT, SUBSCRIBE,
 * UNSUBSCRIBE and their answers); messages never pass through aedes.
 */
export class ControlStream extends Duplex {
  readonly owner: ControlOwner;

  constructor(owner: ControlOwner) {
    super({ decodeStrings: true });
    this.owner = owner;
  }

  override _read(): void {
    // Packets are pushed as they come; there is never more than one.
  }

  // aedes writes a packet as several pieces and uncorks at the end: all of them arrive here at once.
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
    // The owner knows; an "error" event would only ask for one more listener.
    done(null);
  }
}

/** aedes grants what was asked for; this edge delivers QoS 1 at most, and [MQTT-3.8.4-6] wants that said. */
function grantAtMostOnce(suback: Buffer): void {
  let lengthEnd = 2;
  while ((suback[lengthEnd - 1] as number) >= 0x80) lengthEnd++;
  for (let at = lengthEnd + 2; at < suback.length; at++) {
    if (suback[at] === 2) suback[at] = 1;
  }
}

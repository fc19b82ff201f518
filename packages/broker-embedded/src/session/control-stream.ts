import { Duplex } from "node:stream";

/**
 * The stream that aedes uses as the client's connection. It carries only CONNECT and CONNACK. Nothing else passes
 * through aedes.
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

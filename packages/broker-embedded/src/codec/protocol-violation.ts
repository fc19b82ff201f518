/** Why a client's bytes cannot be taken. */
export type ViolationReason = "packet_too_large" | "protocol_error";

/** A client broke the protocol: its connection is closed, nobody else notices. Never leaves this package. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly reason: ViolationReason;

  constructor(reason: ViolationReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

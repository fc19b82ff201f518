/** The reason why a client's bytes are refused. */
export type ViolationReason = "packet_too_large" | "protocol_error";

/** A client broke the protocol, so its connection is closed. This error never leaves the package. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly reason: ViolationReason;

  constructor(reason: ViolationReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

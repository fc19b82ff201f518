import { type ReasonCode, reasons } from "./reason-codes.ts";

/** The reason why a client's bytes are refused. */
export type ViolationReason = "packet_too_large" | "protocol_error";

/** A client broke the protocol, so its connection is closed. This error never leaves the package. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly reason: ViolationReason;
  /** The reason code that a client of version 5 gets. */
  readonly reasonCode: ReasonCode;

  constructor(reason: ViolationReason, message: string, reasonCode?: ReasonCode) {
    super(message);
    this.reason = reason;
    this.reasonCode =
      reasonCode ?? (reason === "packet_too_large" ? reasons.packetTooLarge : reasons.malformedPacket);
  }
}

/** A violation whose bytes can be read, but that the protocol does not allow. */
export function protocolError(
  message: string,
  reasonCode: ReasonCode = reasons.protocolError,
): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message, reasonCode);
}

/** A violation whose bytes cannot be read. */
export function malformed(message: string): ProtocolViolation {
  return new ProtocolViolation("protocol_error", message);
}

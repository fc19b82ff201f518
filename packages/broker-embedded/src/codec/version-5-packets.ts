import { type ChatError, errorCodes } from "@chat21/protocol";
import { encodePacket } from "./encode-packet.ts";
import { packetHeaders } from "./packet-types.ts";
import { encodeProperties, type OutgoingProperty, propertyIds } from "./properties.ts";
import { type ReasonCode, reasons, reasonsOfErrors } from "./reason-codes.ts";

/** Encodes the CONNACK that accepts a CONNECT: never with a session, because none is kept. */
export function encodeConnack(properties: readonly OutgoingProperty[]): Buffer {
  return encodePacket(packetHeaders.connack, Buffer.from([0, reasons.success]), encodeProperties(properties));
}

/** Encodes the CONNACK that refuses a CONNECT. */
export function encodeRefusal(
  code: ReasonCode,
  message: string,
  more: readonly OutgoingProperty[] = [],
): Buffer {
  const properties = [[propertyIds.reasonString, message] as const, ...more];
  return encodePacket(packetHeaders.connack, Buffer.from([0, code]), encodeProperties(properties));
}

/** Encodes the CONNACK for a typed error. */
export function encodeErrorRefusal(error: ChatError): Buffer {
  return encodeRefusal(reasonsOfErrors[error.code].connack, messageOf(error), factsOf(error));
}

/** Encodes the PUBACK or PUBREC for a publish that is refused. Without `properties` only the reason code tells. */
export function encodePublishRefusal(
  header: number,
  packetId: number,
  error: ChatError,
  withProperties: boolean,
): Buffer {
  const head = Buffer.from([packetId >> 8, packetId & 0xff, reasonsOfErrors[error.code].puback]);
  if (!withProperties) return encodePacket(header, head);
  const properties = [[propertyIds.reasonString, messageOf(error)] as const, ...factsOf(error)];
  return encodePacket(header, head, encodeProperties(properties));
}

/** Encodes a PUBCOMP for an identifier that is not held. */
export function encodeUnknownPubcomp(packetId: number): Buffer {
  const code = reasons.packetIdentifierNotFound;
  return encodePacket(packetHeaders.pubcomp, Buffer.from([packetId >> 8, packetId & 0xff, code]));
}

/** Encodes a SUBACK or UNSUBACK with one code for each filter. */
export function encodeCodes(header: number, packetId: number, codes: readonly number[]): Buffer {
  return encodePacket(header, Buffer.from([packetId >> 8, packetId & 0xff, 0, ...codes]));
}

/** Encodes the DISCONNECT that says why the server ends a connection; `name` is our word for it. */
export function encodeDisconnect(reason: ReasonCode, name: string, message: string): Buffer {
  const properties = [
    ...(message === "" ? [] : [[propertyIds.reasonString, message] as const]),
    [propertyIds.userProperty, ["code", name]] as const,
  ];
  return encodePacket(packetHeaders.disconnect, Buffer.from([reason]), encodeProperties(properties));
}

/** Encodes the DISCONNECT for a typed error. */
export function encodeErrorDisconnect(error: ChatError): Buffer {
  const properties = [[propertyIds.reasonString, messageOf(error)] as const, ...factsOf(error)];
  const reason = reasonsOfErrors[error.code].disconnect;
  return encodePacket(packetHeaders.disconnect, Buffer.from([reason]), encodeProperties(properties));
}

/** Encodes the AUTH that ends a re-authentication well. */
export function encodeAuthenticated(method: string): Buffer {
  const properties = encodeProperties([[propertyIds.authMethod, method]]);
  return encodePacket(packetHeaders.auth, Buffer.from([reasons.success]), properties);
}

/** The text of an error for the client. The message of an internal error is for the log only. */
function messageOf({ code, message }: ChatError): string {
  return code === "internal" ? errorCodes.internal.title : message;
}

function factsOf({ code, retryAfterMs }: ChatError): readonly OutgoingProperty[] {
  const facts: OutgoingProperty[] = [[propertyIds.userProperty, ["code", code]]];
  if (retryAfterMs !== undefined)
    facts.push([propertyIds.userProperty, ["retry_after_ms", String(retryAfterMs)]]);
  return facts;
}

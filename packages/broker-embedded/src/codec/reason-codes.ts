import type { ErrorCode } from "@chat21/protocol";

/** The reason codes of MQTT 5 that this edge sends (its section 2.4). */
export const reasons = {
  success: 0x00,
  noSubscriptionExisted: 0x11,
  unspecified: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecific: 0x83,
  clientIdNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  retainNotSupported: 0x9a,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  subscriptionIdentifiersNotSupported: 0xa1,
} as const;

/** A reason code of MQTT 5. */
export type ReasonCode = (typeof reasons)[keyof typeof reasons];

/** The reason codes of one typed error. */
interface ReasonsOfError {
  readonly connack: ReasonCode;
  readonly puback: ReasonCode;
  readonly disconnect: ReasonCode;
}

/** Trying again helps. Only CONNACK has "server unavailable", and PUBACK has nothing of the kind. */
const unavailable: ReasonsOfError = {
  connack: reasons.serverUnavailable,
  puback: reasons.unspecified,
  disconnect: reasons.serverBusy,
};
const badToken: ReasonsOfError = {
  ...all(reasons.notAuthorized),
  connack: reasons.badUserNameOrPassword,
};

/**
 * Each typed error as a reason code: in CONNACK, in PUBACK and PUBREC, and in the server's DISCONNECT. The code itself
 * stands in the user property `code` beside it.
 */
export const reasonsOfErrors: Readonly<Record<ErrorCode, ReasonsOfError>> = {
  already_member: all(reasons.implementationSpecific),
  bad_request: { ...all(reasons.implementationSpecific), connack: reasons.clientIdNotValid },
  conflict: all(reasons.implementationSpecific),
  connection_lost: unavailable,
  forbidden: all(reasons.notAuthorized),
  idempotency_conflict: all(reasons.implementationSpecific),
  internal: all(reasons.unspecified),
  invalid_cursor: all(reasons.implementationSpecific),
  invalid_id: {
    connack: reasons.clientIdNotValid,
    puback: reasons.topicNameInvalid,
    disconnect: reasons.notAuthorized,
  },
  method_not_allowed: all(reasons.implementationSpecific),
  not_found: { ...all(reasons.notAuthorized), puback: reasons.topicNameInvalid },
  not_member: all(reasons.notAuthorized),
  payload_too_large: all(reasons.quotaExceeded),
  rate_limited: { ...all(reasons.connectionRateExceeded), puback: reasons.quotaExceeded },
  shutting_down: { ...unavailable, disconnect: reasons.serverShuttingDown },
  storage_full: all(reasons.quotaExceeded),
  store_unavailable: unavailable,
  taken_over: { ...unavailable, disconnect: reasons.sessionTakenOver },
  timeout: unavailable,
  token_expired: badToken,
  token_revoked: badToken,
  unauthorized: badToken,
  unsupported: all(reasons.implementationSpecific),
  unsupported_media_type: all(reasons.implementationSpecific),
};

function all(code: ReasonCode): ReasonsOfError {
  return { connack: code, puback: code, disconnect: code };
}

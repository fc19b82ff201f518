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
}

const unavailable: ReasonsOfError = { connack: reasons.serverUnavailable, puback: reasons.unspecified };
const badToken: ReasonsOfError = { connack: reasons.badUserNameOrPassword, puback: reasons.notAuthorized };

/**
 * Each typed error as a reason code: in CONNACK, and in PUBACK and PUBREC. The code itself stands in the user property
 * `code` beside it.
 */
export const reasonsOfErrors: Readonly<Record<ErrorCode, ReasonsOfError>> = {
  already_member: both(reasons.implementationSpecific),
  bad_request: { connack: reasons.clientIdNotValid, puback: reasons.implementationSpecific },
  conflict: both(reasons.implementationSpecific),
  connection_lost: unavailable,
  forbidden: both(reasons.notAuthorized),
  idempotency_conflict: both(reasons.implementationSpecific),
  internal: both(reasons.unspecified),
  invalid_cursor: both(reasons.implementationSpecific),
  invalid_id: { connack: reasons.clientIdNotValid, puback: reasons.topicNameInvalid },
  method_not_allowed: both(reasons.implementationSpecific),
  not_found: { connack: reasons.notAuthorized, puback: reasons.topicNameInvalid },
  not_member: both(reasons.notAuthorized),
  payload_too_large: both(reasons.quotaExceeded),
  rate_limited: { connack: reasons.connectionRateExceeded, puback: reasons.quotaExceeded },
  shutting_down: unavailable,
  store_unavailable: unavailable,
  taken_over: unavailable,
  timeout: unavailable,
  token_expired: badToken,
  token_revoked: badToken,
  unauthorized: badToken,
  unsupported: both(reasons.implementationSpecific),
  unsupported_media_type: both(reasons.implementationSpecific),
};

function both(code: ReasonCode): ReasonsOfError {
  return { connack: code, puback: code };
}

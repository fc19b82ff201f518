import { ChatError, type ErrorCode } from "@chat21/protocol";
import { packetHeaders } from "../codec/packet-types.ts";
import {
  type OutgoingProperty,
  propertyIds,
  type ReceivedProperties,
  readProperties,
} from "../codec/properties.ts";
import { malformed, protocolError } from "../codec/protocol-violation.ts";
import { type ReasonCode, reasons, reasonsOfErrors } from "../codec/reason-codes.ts";
import type { ReceivedConnect } from "../codec/received-connect.ts";
import { type ReceivedPublish, readPacketId, readTopic } from "../codec/received-publish.ts";
import { type ReceivedFilters, readFilterList } from "../codec/received-subscribe.ts";
import {
  encodeAuthenticated,
  encodeCodes,
  encodeConnack,
  encodeDisconnect,
  encodeErrorDisconnect,
  encodeErrorRefusal,
  encodePublishRefusal,
  encodeUnknownPubcomp,
} from "../codec/version-5-packets.ts";
import type { EdgeLimits } from "../edge-limits.ts";
import type { CloseCause, CloseDetails } from "./close-cause.ts";
import type { Dialect } from "./dialect.ts";

/** The authentication method with which a client may renew its token: the authentication data is the token. */
export const tokenMethod = "chat21-token";

/** MQTT 5 for one connection. */
export class Version5 implements Dialect {
  readonly maxClientPacketBytes: number;
  readonly clientReceiveMaximum: number;
  readonly receiveMaximum: number;
  readonly authMethod: string | null;
  readonly saysGoodbye = true;
  readonly #limits: EdgeLimits;
  readonly #wantsProblems: boolean;
  /** Seconds that the client asked for. */
  readonly #sessionExpiry: number;
  #aliases: Map<number, string> | null = null;

  constructor(properties: ReceivedProperties, limits: EdgeLimits) {
    this.#limits = limits;
    this.maxClientPacketBytes = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.clientReceiveMaximum = properties.receiveMaximum ?? 65_535;
    this.receiveMaximum = limits.maxUnacknowledgedPublishes;
    this.authMethod = properties.authMethod ?? null;
    this.#wantsProblems = properties.requestProblemInfo !== 0;
    this.#sessionExpiry = properties.sessionExpiry ?? 0;
  }

  tokenOf({ password, properties }: ReceivedConnect): string | undefined {
    return properties?.authData?.toString() ?? password;
  }

  keepAliveOf({ keepAliveSeconds }: ReceivedConnect): number {
    const { maxKeepAliveSeconds } = this.#limits;
    return keepAliveSeconds === 0 ? maxKeepAliveSeconds : Math.min(keepAliveSeconds, maxKeepAliveSeconds);
  }

  accept(connect: ReceivedConnect, clientId: string): Buffer {
    const keepAliveSeconds = this.keepAliveOf(connect);
    const properties: OutgoingProperty[] = [
      // Without it the expiry that the client asked for would hold.
      ...(this.#sessionExpiry === 0 ? [] : [[propertyIds.sessionExpiry, 0] as const]),
      [propertyIds.receiveMaximum, this.receiveMaximum],
      [propertyIds.retainAvailable, 0],
      [propertyIds.maximumPacketSize, this.#limits.maxPacketBytes],
      ...(connect.clientId === "" ? [[propertyIds.assignedClientId, clientId] as const] : []),
      [propertyIds.topicAliasMaximum, this.#limits.maxTopicAliases],
      [propertyIds.subscriptionIdsAvailable, 0],
      [propertyIds.sharedSubscriptionsAvailable, 0],
      ...(keepAliveSeconds === connect.keepAliveSeconds
        ? []
        : [[propertyIds.serverKeepAlive, keepAliveSeconds] as const]),
      ...(this.authMethod === null ? [] : [[propertyIds.authMethod, this.authMethod] as const]),
    ];
    return encodeConnack(properties);
  }

  refuse(error: ChatError): Buffer {
    const refusal = encodeErrorRefusal(error);
    return this.#fits(refusal)
      ? refusal
      : Buffer.from([packetHeaders.connack, 3, ...refusal.subarray(2, 4), 0]);
  }

  readPublish(buffer: Buffer, start: number, body: number, end: number): ReceivedPublish {
    const header = buffer[start] as number;
    const qos = (header >> 1) & 3;
    const isDuplicate = (header & 8) !== 0;
    if (qos === 3) throw malformed("a PUBLISH has QoS 3"); // [MQTT5-3.3.1-4]
    if (qos === 0 && isDuplicate) throw malformed("a PUBLISH of QoS 0 has DUP"); // [MQTT5-3.3.1-2]
    if ((header & 1) !== 0) throw protocolError("nothing is retained", reasons.retainNotSupported);
    const topicStart = body + 2;
    if (topicStart > end) throw malformed("a PUBLISH is too short");
    const topicEnd = topicStart + buffer.readUInt16BE(body);
    const at = qos === 0 ? topicEnd : topicEnd + 2;
    if (at >= end) throw malformed("a PUBLISH is too short");
    const packetId = qos === 0 ? 0 : readPacketId(buffer, topicEnd, end);
    if (buffer[at] === 0) {
      if (topicStart === topicEnd) throw protocolError("a PUBLISH has neither topic nor alias");
      return {
        topic: readTopic(buffer, topicStart, topicEnd),
        qos,
        packetId,
        isDuplicate,
        payloadStart: at + 1,
      };
    }
    const { values, next } = this.#properties(buffer, at, end, "publish");
    const given = topicStart === topicEnd ? "" : readTopic(buffer, topicStart, topicEnd);
    return { topic: this.#resolve(given, values.topicAlias), qos, packetId, isDuplicate, payloadStart: next };
  }

  /** [MQTT5-3.3.2-7], [MQTT5-3.3.2-8] */
  #resolve(topic: string, alias: number | undefined): string {
    if (alias === undefined) {
      if (topic === "") throw protocolError("a PUBLISH has neither topic nor alias");
      return topic;
    }
    const { maxTopicAliases, maxTopicBytes } = this.#limits;
    if (alias === 0 || alias > maxTopicAliases)
      throw protocolError("a topic alias is out of range", reasons.topicAliasInvalid);
    if (topic === "") {
      const known = this.#aliases?.get(alias);
      if (known === undefined) throw protocolError("a topic alias has no topic");
      return known;
    }
    if (Buffer.byteLength(topic) > maxTopicBytes)
      throw protocolError("a topic is too long for an alias", reasons.topicNameInvalid);
    this.#aliases ??= new Map();
    this.#aliases.set(alias, topic);
    return topic;
  }

  readAcknowledged(buffer: Buffer, body: number, end: number): number {
    const packetId = readPacketId(buffer, body, end);
    if (end > body + 3) this.#wholeProperties(buffer, body + 3, end, "acknowledgement");
    return packetId;
  }

  readSubscribe(buffer: Buffer, body: number, end: number): ReceivedFilters {
    const packetId = readPacketId(buffer, body, end);
    const { values, next } = this.#properties(buffer, body + 2, end, "subscribe");
    if (values.subscriptionId !== undefined)
      throw protocolError("subscriptions have no identifiers", reasons.subscriptionIdentifiersNotSupported);
    const filters = readFilterList(buffer, next, end, readOptions);
    if (filters.some(({ filter }) => filter.startsWith("$share/")))
      throw protocolError("subscriptions are not shared", reasons.sharedSubscriptionsNotSupported);
    return { packetId, filters };
  }

  readUnsubscribe(buffer: Buffer, body: number, end: number): ReceivedFilters {
    const packetId = readPacketId(buffer, body, end);
    const { next } = this.#properties(buffer, body + 2, end, "unsubscribe");
    return { packetId, filters: readFilterList(buffer, next, end, null) };
  }

  readDisconnect(buffer: Buffer, body: number, end: number): void {
    if (end <= body + 1) return;
    const { sessionExpiry = 0 } = this.#wholeProperties(buffer, body + 1, end, "disconnect");
    if (sessionExpiry > 0 && this.#sessionExpiry === 0)
      throw protocolError("a DISCONNECT prolongs a session that has no expiry");
  }

  /** Reads an AUTH of the client and returns its token. */
  readAuth(buffer: Buffer, body: number, end: number): string {
    // [MQTT5-4.12.0-7]
    if (this.authMethod === null) throw protocolError("AUTH without a method in CONNECT");
    if (end < body + 2) throw protocolError("AUTH without a method");
    if (buffer[body] !== reauthenticate) throw protocolError("AUTH may only re-authenticate");
    const { authMethod, authData } = this.#wholeProperties(buffer, body + 1, end, "auth");
    // [MQTT5-4.12.1-1]
    if (authMethod !== this.authMethod) throw protocolError("AUTH names another method than CONNECT");
    return authData?.toString() ?? "";
  }

  authenticated(): Buffer {
    return encodeAuthenticated(this.authMethod ?? "");
  }

  refusePublish(header: number, packetId: number, error: ChatError): Buffer {
    if (this.#wantsProblems) {
      const told = encodePublishRefusal(header, packetId, error, true);
      if (this.#fits(told)) return told; // [MQTT5-3.4.2-2]
    }
    return encodePublishRefusal(header, packetId, error, false);
  }

  completeUnknown(packetId: number): Buffer {
    return encodeUnknownPubcomp(packetId);
  }

  suback(packetId: number, codes: readonly number[]): Buffer {
    return encodeCodes(packetHeaders.suback, packetId, codes);
  }

  unsuback(packetId: number, had: readonly boolean[]): Buffer {
    const codes = had.map((one) => (one ? reasons.success : reasons.noSubscriptionExisted));
    return encodeCodes(packetHeaders.unsuback, packetId, codes);
  }

  goodbye(cause: CloseCause, { detail, reasonCode, error }: CloseDetails): Buffer | null {
    if (error !== undefined)
      return this.#fitting(encodeErrorDisconnect(error), reasonsOfErrors[error.code].disconnect);
    const said = goodbyes[cause];
    if (said === undefined) return null;
    if (typeof said === "string") return this.goodbye(cause, { error: new ChatError(said) });
    const code = reasonCode ?? said;
    return this.#fitting(encodeDisconnect(code, cause, detail ?? ""), code);
  }

  /** [MQTT5-3.14.2-3] */
  #fitting(disconnect: Buffer, code: ReasonCode): Buffer {
    return this.#fits(disconnect) ? disconnect : Buffer.from([packetHeaders.disconnect, 1, code]);
  }

  #fits(packet: Buffer): boolean {
    return packet.length <= this.maxClientPacketBytes;
  }

  #properties(buffer: Buffer, at: number, end: number, list: "publish" | "subscribe" | "unsubscribe") {
    return readProperties(buffer, at, end, list, this.#limits.maxUserProperties);
  }

  /** Reads a property list behind which nothing follows. */
  #wholeProperties(
    buffer: Buffer,
    at: number,
    end: number,
    list: "acknowledgement" | "disconnect" | "auth",
  ): ReceivedProperties {
    const { values, next } = readProperties(buffer, at, end, list, this.#limits.maxUserProperties);
    if (next !== end) throw malformed("a packet is longer than its fields");
    return values;
  }
}

/** Reads subscription options. No Local and the two of retained messages have no effect: the server itself publishes. */
function readOptions(options: number): number {
  // [MQTT5-3.8.3-5]
  if ((options & 0xc0) !== 0) throw malformed("a reserved bit of subscription options is set");
  if ((options & 0x30) === 0x30) throw protocolError("a retain handling of 3 does not exist");
  if ((options & 3) === 3) throw protocolError("a filter asks for a QoS that does not exist");
  return options & 3;
}

/** Reason code of an AUTH that begins a re-authentication. */
const reauthenticate = 0x19;

/**
 * The content of the server's DISCONNECT for each cause: a typed error of ours, or a reason code. A cause
 * that is not listed has no DISCONNECT: the client left by itself, or there was no CONNACK.
 */
const goodbyes: Readonly<Partial<Record<CloseCause, ErrorCode | ReasonCode>>> = {
  expired: "token_expired",
  revoked: "token_revoked",
  forbidden: "forbidden",
  shutting_down: "shutting_down",
  slow_consumer: reasons.quotaExceeded,
  taken_over: "taken_over",
  missed_deliveries: reasons.implementationSpecific,
  keep_alive_timeout: reasons.keepAliveTimeout,
  packet_too_large: reasons.packetTooLarge,
  protocol_error: reasons.protocolError,
  internal: "internal",
};

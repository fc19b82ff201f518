import type { ChatError } from "@chat21/protocol";
import type { ReceivedConnect } from "../codec/received-connect.ts";
import type { ReceivedPublish } from "../codec/received-publish.ts";
import type { ReceivedFilters } from "../codec/received-subscribe.ts";
import type { CloseCause, CloseDetails } from "./close-cause.ts";

/** One version of MQTT: how its packets are read and written. Readers throw `ProtocolViolation`. */
export interface Dialect {
  /** Largest packet that the client takes, bytes. */
  readonly maxClientPacketBytes: number;
  /** QoS 1 deliveries without PUBACK that the client takes. Further ones wait. */
  readonly clientReceiveMaximum: number;
  /** QoS 1 and 2 publishes that may be in flight. One more is a violation. */
  readonly receiveMaximum: number;
  /** Name of the authentication method that the CONNECT has; `null` for none. */
  readonly authMethod: string | null;
  /** Whether the server says why it closes. */
  readonly saysGoodbye: boolean;

  /** The token of the CONNECT. */
  tokenOf(connect: ReceivedConnect): string | undefined;
  /** Seconds of the keep-alive that holds. 0: none. */
  keepAliveOf(connect: ReceivedConnect): number;
  /** The CONNACK that accepts. `clientId`: as the session has it. */
  accept(connect: ReceivedConnect, clientId: string): Buffer;
  refuse(error: ChatError): Buffer;

  readPublish(buffer: Buffer, start: number, body: number, end: number): ReceivedPublish;
  readAcknowledged(buffer: Buffer, body: number, end: number): number;
  readSubscribe(buffer: Buffer, body: number, end: number): ReceivedFilters;
  readUnsubscribe(buffer: Buffer, body: number, end: number): ReceivedFilters;
  readDisconnect(buffer: Buffer, body: number, end: number): void;

  /** The acknowledgement of a publish that was refused with a typed answer. `null`: the same as that of a good one. */
  refusePublish(header: number, packetId: number, error: ChatError): Buffer | null;
  /** PUBCOMP for an identifier that is not held. `null`: the same as for one that is. */
  completeUnknown(packetId: number): Buffer | null;
  /** SUBACK. A code of at least 0x80 is the refusal that version 5 knows. */
  suback(packetId: number, codes: readonly number[]): Buffer;
  /** UNSUBACK. `had`: whether each filter was subscribed. */
  unsuback(packetId: number, had: readonly boolean[]): Buffer;
  /** The server's DISCONNECT. `null`: the version has none, or the client left by itself. */
  goodbye(cause: CloseCause, details: CloseDetails): Buffer | null;
}

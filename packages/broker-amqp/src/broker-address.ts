import { ChatError } from "@chat21/protocol";

/** Seconds; the URI cannot change it. A broker or a process that hangs is noticed within two heartbeats. */
const heartbeatSeconds = 2;

/** The address of a broker. */
export interface BrokerAddress {
  /** With password: for the driver alone. */
  readonly uri: string;
  /** Without user and password: for logs and messages. */
  readonly shown: string;
}

/** Reads `amqp://` and `amqps://` (TLS) URIs. Throws `bad_request`, which does not repeat the URI: it may hold a secret. */
export function parseBrokerAddress(uri: string): BrokerAddress {
  if (!URL.canParse(uri)) throw new ChatError("bad_request", "the broker's address is not a URI");
  const parsed = new URL(uri);
  if (parsed.protocol !== "amqp:" && parsed.protocol !== "amqps:") {
    throw new ChatError(
      "bad_request",
      `the broker's address begins with ${parsed.protocol}, expected amqp: or amqps:`,
    );
  }
  parsed.searchParams.set("heartbeat", String(heartbeatSeconds));
  return { uri: parsed.href, shown: `${parsed.protocol}//${parsed.host}${parsed.pathname}` };
}

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

const header = "x-forwarded-for";

/**
 * An address as proxies write it, without port, brackets and zone: `203.0.113.7:4711`, `[2001:db8::1]:443` (RFC 7239,
 * section 6). An IPv4 address inside an IPv6 one (`::ffff:203.0.113.7`) is the IPv4 one. Anything else stays as it is.
 */
export function plainAddress(text: string): string {
  const trimmed = text.trim();
  const [, inBrackets, beforePort] =
    /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(trimmed) ?? [];
  const bare = (inBrackets ?? beforePort ?? trimmed).replace(/%.*$/, "");
  const inner = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(inner) === 0 ? trimmed : inner;
}

/** Writes the addresses of `X-Forwarded-For` plainly, so that everybody behind reads the same ones. */
export function plainForwardedFor({ headers }: IncomingMessage): void {
  const given = headers[header];
  if (given === undefined) return;
  headers[header] = String(given)
    .split(",")
    .map(plainAddress)
    .filter((address) => address !== "")
    .join(", ");
}

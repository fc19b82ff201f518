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

/** The plain addresses of `X-Forwarded-For`, in its order: that of the nearest proxy comes last. */
export function forwardedFor({ headers }: Pick<IncomingMessage, "headers">): string[] {
  return String(headers[header] ?? "")
    .split(",")
    .map(plainAddress)
    .filter((address) => address !== "");
}

/** Writes the addresses of `X-Forwarded-For` plainly, so that everybody behind reads the same ones. */
export function plainForwardedFor(request: IncomingMessage): void {
  if (request.headers[header] !== undefined) request.headers[header] = forwardedFor(request).join(", ");
}

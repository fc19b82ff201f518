import { BlockList, isIP } from "node:net";
import type { Request } from "express";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Headers that only a proxy writes: behind one, a loopback address says nothing about who is calling. */
const proxyHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/**
 * Whether a request was made on this machine, to us by a loopback name, and not by the page of another origin: the
 * socket, `Host` (against names that an attacker points at 127.0.0.1) and `Origin` must all say so.
 */
export function isLocalRequest(request: Request): boolean {
  const { localAddress, remoteAddress, localPort } = request.socket;
  if (!isLoopbackAddress(localAddress) || !isLoopbackAddress(remoteAddress)) return false;
  if (proxyHeaders.some((name) => request.headers[name] !== undefined)) return false;
  const host = request.headers.host;
  if (host === undefined || !isOurHost(host, localPort)) return false;
  const { origin } = request.headers;
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

function isOurHost(host: string, ourPort: number | undefined): boolean {
  const [, name = "", port] = /^(\[[0-9a-f:]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(host) ?? [];
  const isOurs = port === undefined ? ourPort === 80 || ourPort === 443 : Number(port) === ourPort;
  return (
    isOurs && (name.toLowerCase() === "localhost" || isLoopbackAddress(name.replace(/^\[(.*)\]$/, "$1")))
  );
}

function isLoopbackAddress(address: string | undefined): boolean {
  const bare = (address ?? "").replace(/^::ffff:/i, "");
  const family = isIP(bare);
  return family !== 0 && loopback.check(bare, family === 4 ? "ipv4" : "ipv6");
}

import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine itself can reach a listener on `host`. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  switch (isIP(bare)) {
    case 4:
      return loopback.check(bare, "ipv4");
    case 6:
      return loopback.check(bare, "ipv6");
    default:
      return bare.toLowerCase() === "localhost";
  }
}

/** A host as it stands in a URL: IPv6 in brackets, and "every address" as one that a person can open. */
export function urlHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (bare === "0.0.0.0" || bare === "::") return "localhost";
  return isIP(bare) === 6 ? `[${bare}]` : bare;
}

import { isIP } from "node:net";
import { isAddressRange } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Decides which addresses a request may be made to. */
export interface AddressPolicy {
  /** Whether a connection to this IP address (any notation) may be opened. `false` for a text that is no address. */
  allows(address: string): boolean;
}

/** Addresses of this machine itself, which development adds to the allow-list. */
export const loopbackRanges = ["127.0.0.0/8", "::1/128"] as const;

/** The range of IPv6 hosts of the public Internet; all other ranges are special or not assigned. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** Azure's platform address looks public, and answers the machine itself with secrets. */
const platformAddress = "168.63.129.16";

const mappedPrefix: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("::ffff:0:0"), 96];
const nat64Prefix: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("64:ff9b::"), 96];

/**
 * Allows the public Internet and, beyond it, exactly the ranges of `allowed` (CIDR or single addresses). An IPv6
 * notation of an IPv4 address (mapped, NAT64) counts as that IPv4 address. Throws `ChatError` `bad_request` for a
 * range that cannot be read.
 */
export function createAddressPolicy(allowed: readonly string[] = []): AddressPolicy {
  const ranges = allowed.map(parseRange);
  return {
    allows(text) {
      if (isIP(text) === 0) return false;
      const address = unwrapIPv4(ipaddr.parse(text));
      return isPublic(address) || ranges.some(([base, bits]) => contains(base, bits, address));
    },
  };
}

function parseRange(text: string): [Address, number] {
  if (!isAddressRange(text)) {
    throw new ChatError(
      "bad_request",
      `expected an address range such as 10.0.0.0/8, got ${text.slice(0, 60)}`,
    );
  }
  if (text.includes("/")) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function contains(base: Address, bits: number, address: Address): boolean {
  return base.kind() === address.kind() && address.match(base, bits);
}

/** The IPv4 address that an IPv6 one stands for, or the address itself. */
function unwrapIPv4(address: Address): Address {
  if (address.kind() === "ipv4") return address;
  if (!address.match(...mappedPrefix) && !address.match(...nat64Prefix)) return address;
  return ipaddr.fromByteArray(address.toByteArray().slice(12));
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  if (address.kind() === "ipv4") return address.toString() !== platformAddress;
  // The library says "unicast" for every address without a name of its own, also for the IPv4-compatible `::127.0.0.1`.
  return address.match(...globalUnicast);
}

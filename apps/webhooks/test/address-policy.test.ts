import { isAddressRange } from "@chat21/events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAddressPolicy, loopbackRanges } from "../src/address-policy.ts";

const refused = [
  ["0.0.0.0", "this network"],
  ["0.1.2.3", "this network"],
  ["10.0.0.1", "private"],
  ["100.64.0.1", "carrier-grade NAT"],
  ["100.100.100.200", "a cloud's metadata"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["168.63.129.16", "a cloud's platform address"],
  ["169.254.169.254", "a cloud's metadata"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.0.0.192", "a cloud's metadata"],
  ["192.0.2.1", "documentation"],
  ["192.168.1.1", "private"],
  ["198.18.0.1", "benchmarking"],
  ["203.0.113.7", "documentation"],
  ["224.0.0.1", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["0:0:0:0:0:0:0:1", "loopback, written out"],
  ["::127.0.0.1", "IPv4-compatible loopback"],
  ["::ffff:127.0.0.1", "mapped loopback"],
  ["::ffff:7f00:1", "mapped loopback in hexadecimal"],
  ["::ffff:10.0.0.1", "mapped private"],
  ["::ffff:169.254.169.254", "mapped metadata"],
  ["::ffff:0:127.0.0.1", "translated loopback"],
  ["64:ff9b::127.0.0.1", "NAT64 of loopback"],
  ["64:ff9b::a00:1", "NAT64 of private"],
  ["64:ff9b:1::1", "local-use NAT64"],
  ["100::1", "discard"],
  ["2001::1", "Teredo"],
  ["2001:db8::1", "documentation"],
  ["2002:7f00:1::", "6to4 of loopback"],
  ["fc00::1", "unique local"],
  ["fd00:ec2::254", "a cloud's metadata"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local with a zone"],
  ["fec0::1", "site-local"],
  ["ff02::1", "multicast"],
  ["4000::1", "not assigned"],
] as const;

const allowed = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111"];

describe("Without an allow-list", () => {
  const policy = createAddressPolicy();

  test.each(refused)("%s is refused: %s", (address) => {
    expect(policy.allows(address)).toBe(false);
  });

  test.each(allowed)("%s is allowed", (address) => {
    expect(policy.allows(address)).toBe(true);
  });

  test.each(["", "localhost", "example.com", "1.2.3", "2130706433", "[::1]", "1.1.1.1:80"])(
    "%j is no address and refused",
    (text) => {
      expect(policy.allows(text)).toBe(false);
    },
  );

  test("No private IPv4 address is allowed in any of its IPv6 notations", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const hostile = fc.oneof(
      fc.tuple(fc.constant(10), byte, byte, byte),
      fc.tuple(fc.constant(127), byte, byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
    );
    const notation = fc.constantFrom("", "::ffff:", "::", "64:ff9b::", "::ffff:0:");

    fc.assert(
      fc.property(hostile, notation, (bytes, before) => {
        expect(policy.allows(`${before}${bytes.join(".")}`)).toBe(false);
      }),
    );
  });
});

describe("With an allow-list", () => {
  test("Only its ranges are allowed beside the public Internet", () => {
    const policy = createAddressPolicy(["10.1.0.0/16", "fd00:1::/32", "192.168.7.7"]);

    expect(policy.allows("10.1.255.1")).toBe(true);
    expect(policy.allows("::ffff:10.1.2.3")).toBe(true);
    expect(policy.allows("fd00:1::9")).toBe(true);
    expect(policy.allows("192.168.7.7")).toBe(true);
    expect(policy.allows("8.8.8.8")).toBe(true);
    expect(policy.allows("10.2.0.1")).toBe(false);
    expect(policy.allows("192.168.7.8")).toBe(false);
    expect(policy.allows("fd00:2::9")).toBe(false);
    expect(policy.allows("127.0.0.1")).toBe(false);
  });

  test("The loopback ranges allow this machine and nothing else", () => {
    const policy = createAddressPolicy(loopbackRanges);

    expect(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].every(policy.allows)).toBe(true);
    expect(["10.0.0.1", "0.0.0.0", "::", "169.254.169.254"].some(policy.allows)).toBe(false);
  });

  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0/8",
    "::1/129",
    "example.com",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "fe80::1%eth0",
  ])("%j is no range", (text) => {
    expect(isAddressRange(text)).toBe(false);
    expect(() => createAddressPolicy([text])).toThrow("expected an address range such as 10.0.0.0/8");
  });
});

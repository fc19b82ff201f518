import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { peerAddress } from "../src/peer-address.ts";

const request = (remoteAddress: string, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded } }) as unknown as IncomingMessage;

it("a peer is who opened the socket when no proxy is trusted", () => {
  expect(peerAddress(request("10.0.0.1", "6.6.6.6"), () => false)).toBe("10.0.0.1");
});

it("a peer is the nearest address that is no trusted proxy", () => {
  const trusts = (address: string) => address.startsWith("10.");

  expect(peerAddress(request("10.0.0.1", "6.6.6.6, 7.7.7.7, 10.0.0.2"), trusts)).toBe("7.7.7.7");
  expect(peerAddress(request("10.0.0.1", "10.0.0.3"), trusts)).toBe("10.0.0.3");
  expect(peerAddress(request("10.0.0.1"), trusts)).toBe("10.0.0.1");
});

it("a peer is found by counting hops", () => {
  expect(peerAddress(request("a", "d, c, b"), (_, hop) => hop < 2)).toBe("c");
});

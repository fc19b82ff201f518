import type { IncomingMessage } from "node:http";
import { forwardedFor, plainAddress } from "@chat21/runtime";

/** Whether the proxy at `address`, `hop` steps away, is believed (express' `trust proxy fn`). */
export type TrustsProxy = (address: string, hop: number) => boolean;

/** The address that a request comes from: the nearest one that is no trusted proxy. */
export function peerAddress(request: IncomingMessage, trusts: TrustsProxy): string {
  const chain = [plainAddress(request.socket.remoteAddress ?? ""), ...forwardedFor(request).reverse()];
  const nearest = chain.find((address, hop) => hop === chain.length - 1 || !trusts(address, hop));
  return nearest ?? "";
}

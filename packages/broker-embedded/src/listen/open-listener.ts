import type { Server } from "node:net";
import { isIPv6 } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { ChatError } from "@chat21/protocol";
import type { Transport } from "../transport/transport.ts";
import type { EdgeAddress } from "./edge-listener.ts";

/** An open listener. */
export interface OpenListener {
  /** `null` for the caller's own server. */
  readonly address: EdgeAddress | null;
  /** Shows another certificate to new connections. `undefined` without TLS, and for the caller's own server. */
  readonly setTls?: (tls: SecureContextOptions) => void;
  /** Accepts no more connections. Open ones stay. */
  stop(): void;
}

/** Takes the connections of a listener. */
export interface Acceptor {
  /** Whether there is room for one more connection. */
  hasRoom(): boolean;
  accept(transport: Transport): void;
}

/** Binds `server` and resolves to its port. Rejects with one line that names the address and a remedy. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Builds `scheme://host:port/path`. An IPv6 host gets brackets. */
export function urlOf(scheme: string, host: string, port: number, path = ""): string {
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`;
}

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: "is in use: stop the program that listens there, or choose another port",
  EACCES: "needs a privilege that this process lacks: choose a port above 1023",
  EADDRNOTAVAIL: "is not an address of this machine: choose another host",
  ENOTFOUND: "names a host that is not known: choose another host",
};

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): ChatError {
  const remedy = remedies[error.code ?? ""] ?? `cannot be listened on (${error.message})`;
  return new ChatError("internal", `port ${port} on ${host} ${remedy}`, { cause: error });
}

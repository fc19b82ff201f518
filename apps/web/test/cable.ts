import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to the server that can be cut. */
export interface Cable {
  /** The server's page by way of the cable. */
  readonly url: string;
  /** Ends every connection on it at once and lets none through before {@link mend}. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

// Another address of the loopback with the server's own port, so that its development sign-in knows the Host. All of
// 127/8 answers on Linux without being set up.
const host = "127.0.0.2";

/** Lays a cable to the server at `url`. */
export async function layCable(url: string): Promise<Cable> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect({ host: hostname, port: Number(port) });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(Number(port), host);
  await once(server, "listening");
  return {
    url: `http://${host}:${port}`,
    cut() {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      whole = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

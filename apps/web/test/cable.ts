import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A network path to the server that a test can cut. */
export interface Cable {
  /** Address of the server's page through the cable. */
  readonly url: string;
  /** Ends every connection at once. New ones fail until {@link mend}. */
  cut(): void;
  mend(): void;
  /** Lets the open connections die without a word, as in a device that sleeps. New ones work. */
  deaden(): void;
  close(): Promise<void>;
}

// The cable listens on another loopback address but on the server's own port, because sign-in by name checks the Host.
// On Linux all of 127/8 works without any setup.
const host = "127.0.0.2";

/** Opens a cable to the server at `url`. */
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
    deaden() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

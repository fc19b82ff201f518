import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Both ends of one connection through the proxy. */
interface Link {
  readonly near: Socket;
  /** `null` when the connection came in a stall and is not answered yet. */
  far: Socket | null;
}

/**
 * A TCP proxy that can simulate a network on which nothing arrives any more, in either direction, while both ends
 * believe that they are connected. Bytes under way arrive when the stall ends, as from a network that comes back.
 */
export class StallableProxy {
  readonly #server: Server;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #links = new Set<Link>();
  #isStalled = false;

  private constructor(to: { readonly host: string; readonly port: number }) {
    this.#to = to;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (near) =>
      this.#accept(near),
    );
  }

  /** Listens on a free port of the loopback and forwards to `host:port`. */
  static async listen(to: { readonly host: string; readonly port: number }): Promise<StallableProxy> {
    const proxy = new StallableProxy(to);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** From now on nothing is forwarded, not even the close of an end. New connections are accepted and not answered. */
  stall(): void {
    this.#isStalled = true;
    for (const { near, far } of this.#links) {
      near.unpipe();
      far?.unpipe();
      near.pause();
      far?.pause();
    }
  }

  /** Forwards the bytes that have piled up, and all that follow. */
  heal(): void {
    this.#isStalled = false;
    for (const link of this.#links) this.#join(link);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const { near, far } of this.#links) {
      near.destroy();
      far?.destroy();
    }
    await closed;
  }

  #accept(near: Socket): void {
    const link: Link = { near, far: null };
    this.#links.add(link);
    this.#watch(link, near);
    if (!this.#isStalled) this.#join(link);
  }

  /** When one end closes, the other end learns it, but not in a stall. */
  #watch(link: Link, socket: Socket): void {
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#isStalled) return;
      this.#part(link);
    });
  }

  #join(link: Link): void {
    if (link.far === null) {
      link.far = connect({ ...this.#to, noDelay: true, allowHalfOpen: true });
      this.#watch(link, link.far);
    }
    if (link.near.destroyed || link.far.destroyed) {
      this.#part(link);
      return;
    }
    link.near.pipe(link.far);
    link.far.pipe(link.near);
  }

  #part(link: Link): void {
    link.near.destroy();
    link.far?.destroy();
    this.#links.delete(link);
  }
}

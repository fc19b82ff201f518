import { ChatError } from "@chat21/protocol";
import type { Link } from "./link.ts";

/** The way to the server: through the link in use, or to nowhere while there is none. */
export class Uplink {
  #link: Link | undefined;

  get link(): Link | undefined {
    return this.#link;
  }

  /** `undefined`: the connection is lost. */
  use(link: Link | undefined): void {
    this.#link = link;
  }

  /** Lost while there is no connection. */
  publish(topic: string, payload: object): void {
    this.#link?.publish(topic, payload);
  }

  /** Resolves when the server has it; rejects with `connection_lost`. */
  async deliver(topic: string, payload: object): Promise<void> {
    if (this.#link === undefined) throw new ChatError("connection_lost");
    await this.#link.deliver(topic, payload);
  }
}

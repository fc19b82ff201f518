import { networkOf } from "./network-of.ts";

/** Counts the connections of each address, an IPv6 one by its network of 64 bits. */
export class Networks {
  readonly #counts = new Map<string, number>();

  /** Connections of the address. */
  of(address: string): number {
    return this.#counts.get(networkOf(address)) ?? 0;
  }

  add(address: string): void {
    const network = networkOf(address);
    this.#counts.set(network, (this.#counts.get(network) ?? 0) + 1);
  }

  delete(address: string): void {
    const network = networkOf(address);
    const left = (this.#counts.get(network) ?? 0) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }
}

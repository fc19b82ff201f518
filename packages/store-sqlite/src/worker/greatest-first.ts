/** Items with keys, answered from the greatest key downwards: a heap over flat arrays, made once from all of them. */
export class GreatestFirst {
  readonly #keys: number[] = [];
  readonly #items: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** Adds an item before {@link arrange} is called. */
  collect(key: number, item: number): void {
    this.#keys.push(key);
    this.#items.push(item);
  }

  /** Puts the collected items in order. */
  arrange(): void {
    for (let at = (this.#keys.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  /** Adds an item after {@link arrange}. */
  add(key: number, item: number): void {
    let at = this.#keys.length;
    this.collect(key, item);
    for (let parent = (at - 1) >> 1; at > 0 && this.#keyAt(parent) < key; parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The greatest key; `-Infinity` when nothing is left. */
  greatest(): number {
    return this.#keys[0] ?? Number.NEGATIVE_INFINITY;
  }

  /** Takes the item with the greatest key. */
  take(): number | undefined {
    const item = this.#items[0];
    const key = this.#keys.pop();
    const last = this.#items.pop();
    if (this.#keys.length === 0 || key === undefined || last === undefined) return item;
    this.#keys[0] = key;
    this.#items[0] = last;
    this.#sink(0);
    return item;
  }

  #keyAt(at: number): number {
    return this.#keys[at] as number;
  }

  #swap(a: number, b: number): void {
    const [key, item] = [this.#keyAt(a), this.#items[a] as number];
    this.#keys[a] = this.#keyAt(b);
    this.#items[a] = this.#items[b] as number;
    this.#keys[b] = key;
    this.#items[b] = item;
  }

  #sink(from: number): void {
    const keys = this.#keys;
    for (let at = from; ; ) {
      let child = 2 * at + 1;
      if (child >= keys.length) return;
      if (child + 1 < keys.length && this.#keyAt(child + 1) > this.#keyAt(child)) child += 1;
      if (this.#keyAt(child) <= this.#keyAt(at)) return;
      this.#swap(at, child);
      at = child;
    }
  }
}

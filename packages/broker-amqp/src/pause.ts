/**
 * Whether messages of clients may be begun. Consumers ask at the moment when they begin a message, so that one that
 * starts during a change does not miss it.
 */
export class Pause {
  #isOn = true;
  readonly #listeners = new Set<() => void>();

  get isOn(): boolean {
    return this.#isOn;
  }

  set(isOn: boolean): void {
    if (this.#isOn === isOn) return;
    this.#isOn = isOn;
    if (!isOn) for (const goOn of this.#listeners) goOn();
  }

  /** Calls `goOn` whenever the pause ends, until the returned function is called. */
  onEnd(goOn: () => void): () => void {
    this.#listeners.add(goOn);
    return () => void this.#listeners.delete(goOn);
  }
}

/**
 * Whether what clients published may be begun. Asked by everybody who begins something, at that moment: who is only about
 * to be there when it changes must not miss it.
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

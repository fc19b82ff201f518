/** Ends a registration. Calling it again has no effect. */
export type Unsubscribe = () => void;

/** Handlers by event name. A handler that throws is reported and does not disturb the others. */
export class Emitter<Events> {
  readonly #handlers = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #report: (thrown: unknown) => void;
  #held: (() => void)[] | undefined;

  constructor(report: (thrown: unknown) => void) {
    this.#report = report;
  }

  /** Keeps events back until {@link release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** Emits the events that were kept back, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const tell of held) tell();
  }

  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): Unsubscribe {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers);
    // A new function for each registration: a function that is registered twice is called twice and removed once.
    const registered = (event: Events[Name]) => handler(event);
    handlers.add(registered);
    return () => void handlers.delete(registered);
  }

  /** Whether the event has handlers. */
  has(name: keyof Events): boolean {
    return (this.#handlers.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.emit(name, event));
      return;
    }
    for (const handler of [...(this.#handlers.get(name) ?? [])]) {
      try {
        (handler as (event: Events[Name]) => void)(event);
      } catch (thrown) {
        this.#report(thrown);
      }
    }
  }
}

/** Tells subscribers that something changed, at most once a microtask. */
export class Notifier {
  readonly #emitter: Emitter<{ change: undefined }>;
  #scheduled = false;

  constructor(report: (thrown: unknown) => void) {
    this.#emitter = new Emitter(report);
  }

  readonly subscribe = (listener: () => void): Unsubscribe => this.#emitter.on("change", listener);

  notify(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#emitter.emit("change", undefined);
    });
  }
}

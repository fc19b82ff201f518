/** Ends a registration. Calling it again has no effect. */
export type Unsubscribe = () => void;

/** The pause before a handler that failed `attempt` times (1, 2 …) gets its event again; `undefined`: never again. */
export type Retry = (attempt: number) => Promise<void> | undefined;

/** Handlers by event name. A handler that fails is reported and does not disturb the others. */
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

  /** Calls the handlers. While some are still at work, or the event is held, it answers a promise of their end. */
  emit<Name extends keyof Events>(
    name: Name,
    event: Events[Name],
    retry?: Retry,
  ): Promise<unknown> | undefined {
    const held = this.#held;
    if (held !== undefined)
      return new Promise((resolve) => held.push(() => resolve(this.emit(name, event, retry))));
    const working = [...(this.#handlers.get(name) ?? [])].flatMap(
      (handler) => this.#call(handler as (event: Events[Name]) => unknown, event, retry) ?? [],
    );
    return working.length > 0 ? Promise.all(working) : undefined;
  }

  #call<Event>(
    handler: (event: Event) => unknown,
    event: Event,
    retry: Retry | undefined,
    attempt = 1,
  ): Promise<unknown> | undefined {
    const fail = (thrown: unknown) => {
      const pause = retry?.(attempt);
      if (pause === undefined) this.#report(thrown);
      return pause?.then(() => this.#call(handler, event, retry, attempt + 1));
    };
    try {
      const result = handler(event);
      return result instanceof Promise ? result.catch(fail) : undefined;
    } catch (thrown) {
      return fail(thrown);
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

  /** Whether somebody listens. */
  get isHeard(): boolean {
    return this.#emitter.has("change");
  }

  notify(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#emitter.emit("change", undefined);
    });
  }
}

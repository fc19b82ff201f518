import type { Clock } from "../connection/clock.ts";
import type { Dispatch } from "./update.ts";

/** Settings of {@link Typing}. */
export interface TypingOptions {
  readonly clock: Clock;
  send(conversWith: string, typing: boolean): void;
  readonly dispatch: Dispatch;
}

/** Time that a user is shown as typing after the last sign. */
const shownMs = 6_000;
const repeatMs = 3_000;

/** Typing users: this user's own signs, thinned out, and those of others, with an end. */
export class Typing {
  readonly #options: TypingOptions;
  readonly #others = new Map<string, Map<string, () => void>>();
  readonly #own = new Map<string, { readonly sentAt: number; readonly stop: () => void }>();

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  set(conversWith: string, typing: boolean): void {
    const { clock, send } = this.#options;
    const own = this.#own.get(conversWith);
    own?.stop();
    if (!typing) {
      this.#own.delete(conversWith);
      if (own !== undefined) send(conversWith, false);
      return;
    }
    const due = own === undefined || clock.now() - own.sentAt >= repeatMs;
    if (due) send(conversWith, true);
    const stop = clock.after(shownMs, () => this.set(conversWith, false));
    this.#own.set(conversWith, { sentAt: due ? clock.now() : own.sentAt, stop });
  }

  /** Ends this user's typing without a notice: the message ends it for the others. */
  forget(conversWith: string): void {
    this.#own.get(conversWith)?.stop();
    this.#own.delete(conversWith);
  }

  handle(conversWith: string, user: string, typing: boolean): void {
    const users = this.#others.get(conversWith) ?? new Map<string, () => void>();
    this.#others.set(conversWith, users);
    const known = users.get(user);
    known?.();
    users.delete(user);
    if (typing)
      users.set(
        user,
        this.#options.clock.after(shownMs, () => this.handle(conversWith, user, false)),
      );
    if (typing !== (known !== undefined))
      this.#options.dispatch({ type: "typing", conversWith, user, typing });
    if (users.size === 0) this.#others.delete(conversWith);
  }

  /** Ends the typing of others: this client is away from the server, and would not hear of the end. */
  forgetOthers(): void {
    for (const [conversWith, users] of this.#others)
      for (const user of users.keys()) this.handle(conversWith, user, false);
  }

  close(): void {
    for (const { stop } of this.#own.values()) stop();
    for (const users of this.#others.values()) for (const stop of users.values()) stop();
    this.#own.clear();
    this.#others.clear();
  }
}

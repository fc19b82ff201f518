import { type Budget, budgets, ChatError, systemUser, waitingPublishes } from "@chat21/protocol";
import type { Clock } from "./ports/clock.ts";
import type { Metrics } from "./ports/telemetry.ts";
import { type Rate, RateLimiter } from "./rate-limiter.ts";
import { Turns } from "./turns.ts";

/** Kinds of publishes that are refused beyond the budget, because their senders learn of it and send again. */
export type RefusedKind = "first_contact" | "message" | "message_characters" | "typing" | "unknown_receipt";

/** Kinds that wait beyond the budget: old clients do not send them again. */
export type WaitingKind = "presence" | "receipt" | "update";

/** Whose budget it is. */
export interface Spender {
  readonly user: string;
  readonly admin: boolean;
}

/** Settings of {@link Budgets}. */
export interface BudgetsOptions {
  /** `false`: there is no budget at all. */
  readonly enabled: boolean;
  /** @default the one of `budgets` */
  readonly messageRate: Rate | undefined;
  /** Whether a publish that waits slows down the connection it came over, and nobody else. `false`: it is refused. */
  readonly slows: () => boolean;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "count">;
}

/**
 * What one user may cause: a budget for each kind of publish, the same for all sessions of the user and for REST, counted in
 * this process. Admins and `system` have none.
 */
export class Budgets {
  readonly #options: BudgetsOptions;
  readonly #refused: Readonly<Record<RefusedKind, RateLimiter>>;
  readonly #waiting: Readonly<Record<WaitingKind, Turns>>;
  readonly #refusals: Turns;

  constructor(options: BudgetsOptions) {
    const { clock, messageRate = rateOf(budgets.message) } = options;
    const limiter = (budget: Budget) => new RateLimiter(rateOf(budget), clock);
    const turns = (budget: Budget) => new Turns(limiter(budget), clock);
    this.#options = options;
    this.#refused = {
      first_contact: limiter(budgets.first_contact),
      message: new RateLimiter(messageRate, clock),
      message_characters: limiter(budgets.message_characters),
      typing: limiter(budgets.typing),
      unknown_receipt: limiter(budgets.unknown_receipt),
    };
    this.#waiting = {
      presence: turns(budgets.presence),
      receipt: turns(budgets.receipt),
      update: turns(budgets.update),
    };
    this.#refusals = turns(budgets.refusal);
  }

  /** Spends `cost` of the kind. Throws `rate_limited` with the time until there is so much. */
  spend(kind: RefusedKind, app: string, spender: Spender, cost = 1): void {
    if (this.#isFree(spender)) return;
    const retryAfterMs = this.#refused[kind].take(keyOf(app, spender), cost);
    if (retryAfterMs > 0) throw this.#overBudget(kind, retryAfterMs);
  }

  /** Spends for people who are reached for the first time. Throws `rate_limited`. */
  reach(app: string, spender: Spender, people: number): void {
    if (people > 0) this.spend("first_contact", app, spender, Math.min(people, budgets.first_contact.burst));
  }

  /**
   * Spends `cost` of the kind. `undefined` when the publish may go on at once; otherwise resolves when its turn has come, in
   * the order of the calls. Throws `rate_limited` when too many wait, and instead of waiting where that would slow down
   * others.
   */
  turn(kind: WaitingKind, app: string, spender: Spender, cost = 1): Promise<void> | undefined {
    if (this.#isFree(spender)) return undefined;
    const key = keyOf(app, spender);
    const turns = this.#waiting[kind];
    const most = this.#options.slows() ? waitingPublishes : 0;
    const turn = turns.enter(key, cost, most, (retryAfterMs) => this.#overBudget(kind, retryAfterMs));
    if (turn !== undefined) this.#options.metrics.count("rate_limited", { kind });
    return turn;
  }

  /**
   * For a publish that was refused: `undefined` when it may be settled at once; otherwise resolves when it may. So a client
   * that repeats what is refused is read as slowly as it is told.
   */
  refusal(app: string, spender: Spender): Promise<void> | undefined {
    if (!this.#options.slows() || this.#isFree(spender)) return undefined;
    return this.#refusals.enter(keyOf(app, spender), 1, Number.POSITIVE_INFINITY, neverRefused);
  }

  /** Nothing waits any longer: the process stops. */
  stop(): void {
    for (const turns of Object.values(this.#waiting)) turns.open();
    this.#refusals.open();
  }

  #isFree({ user, admin }: Spender): boolean {
    return admin || user === systemUser || !this.#options.enabled;
  }

  #overBudget(kind: RefusedKind | WaitingKind, retryAfterMs: number): ChatError {
    this.#options.metrics.count("rate_limited", { kind });
    const what =
      kind === "message" ? "the sender is over its message rate" : `too many of this kind: ${kind}`;
    return new ChatError("rate_limited", what, { retryAfterMs });
  }
}

function rateOf({ burst, perMinute }: Budget): Rate {
  return { capacity: burst, refillPerMinute: perMinute };
}

/** The edge bounds how many publishes are under way, and so how many of these wait. */
function neverRefused(): Error {
  return new ChatError("internal", "a refusal was refused");
}

function keyOf(app: string, { user }: Spender): string {
  return `${app}/${user}`;
}

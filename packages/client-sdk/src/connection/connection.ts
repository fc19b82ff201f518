import { ChatError } from "@chat21/protocol";
import type { Log } from "../api/options.ts";
import type { Status, StatusChange } from "../api/status.ts";
import type { Backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { delay } from "./clock.ts";
import type { Link } from "./link.ts";
import type { Token, TokenKeeper } from "./token-keeper.ts";
import { isAboutCredentials, isAboutToken } from "./token-keeper.ts";

/** Settings of a {@link Connection}. */
export interface ConnectionOptions {
  readonly tokens: TokenKeeper;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly log: Log;
  /** Opens a subscribed link. `successor`: another link of this client is still open. */
  openLink(token: Token, successor: boolean, signal: AbortSignal): Promise<Link>;
  /** Throws a credentials error when the server does not accept the token. */
  verify(token: Token): Promise<void>;
  /** Called before a subscription begins while there is none. */
  prepare(): void;
  /** Resolves when no message from before this subscription is missing. */
  catchUp(signal: AbortSignal): Promise<void>;
  /** Gets the link to publish on from now on. `successor`: it replaces another one without a break. */
  handleUp(link: Link, successor: boolean): void;
  handleDown(): void;
  handleStatus(change: StatusChange): void;
  /** Milliseconds of the server's clock. */
  serverNow(): number;
  /** Another client uses the client id. Answers whether the next link has another one: a token may be bound to it. */
  changeClientId(): boolean;
}

/** The end of a connection, and its reason. */
interface Ending {
  readonly reason: ChatError;
  /** The server does not let this client in: the same token is of no use. */
  readonly isRefusal: boolean;
}

// Refusals of new tokens in a row: after these, another new token will hardly be better.
const mostRefusals = 3;
/** Share of a token's remaining life after which the next one is fetched. */
const renewAfter = 0.8;
const shortestRenewalMs = 1_000;
/** A connection that was online for so long was a good one: the next pauses begin small again. */
const stableMs = 60_000;
/** So many connections in a row that were lost sooner: some brokers end the older one of two clients without a word. */
const mostShortLives = 3;
/** Pause of a client that was taken over and is bound to its client id: to come back would end the other one. */
const takenOverPauseMs = 300_000;

/** Keeps one subscribed link open: reconnects with backoff, and replaces the link before its token ends. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #abort = new AbortController();
  #status: Status = "connecting";
  #wake: AbortController | undefined;
  #current: Link | undefined;
  #running: Promise<void> | undefined;
  /** Resolves when the connection is closed for good: with the reason, or `null` after {@link close}. */
  readonly closed: Promise<ChatError | null>;
  #handleClosed: (reason: ChatError | null) => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#handleClosed = resolve;
    });
  }

  get status(): Status {
    return this.#status;
  }

  /** Aborts when the connection is closed for good. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Tries now instead of waiting: the network seems to be back. */
  wake(): void {
    this.#wake?.abort();
  }

  /** Finds out whether the link in use is alive. */
  probe(): void {
    this.#current?.probe();
  }

  async close(): Promise<void> {
    if (this.#status !== "closed") this.#end(null);
    await this.#current?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    let attempt = 0;
    let refusals = 0;
    let shortLives = 0;
    while (!this.signal.aborted) {
      let stopCounting = () => {};
      const ending = await this.#live({
        handleOpen: () => {
          shortLives += 1;
        },
        handleOnline: () => {
          refusals = 0;
          stopCounting = this.#options.clock.after(stableMs, () => {
            attempt = 0;
            shortLives = 0;
          });
        },
      }).catch(refusalOf);
      stopCounting();
      this.#current = undefined;
      if (this.signal.aborted) return;
      if (ending.isRefusal) refusals += 1;
      if (ending.isRefusal && (!this.#options.tokens.renewable || refusals >= mostRefusals)) {
        return this.#end(ending.reason);
      }
      const isTakenOver = ending.reason.code === "taken_over";
      const isContested = isTakenOver || shortLives >= mostShortLives;
      if (isContested) shortLives = 0;
      const isBound = isContested && !this.#options.changeClientId();
      if (isBound) void this.#findOtherClientId();
      await this.#pause(ending.reason, ++attempt, isTakenOver && isBound ? takenOverPauseMs : 0);
    }
  }

  /**
   * One life of a connection, from connecting to its loss; answers the reason of the loss. Throws the server's
   * objection.
   */
  async #live({
    handleOpen,
    handleOnline,
  }: Record<"handleOpen" | "handleOnline", () => void>): Promise<Ending> {
    const { tokens, prepare, catchUp, handleDown } = this.#options;
    prepare();
    let link = await this.#open(await tokens.get(), false);
    this.#current = link;
    handleOpen();
    try {
      const failure = await catchUp(this.#whileOpen(link)).then(() => null, ChatError.fromUnknown);
      // A server that objects to a request, not to its user, may be better off later.
      if (failure !== null) return { reason: failure, isRefusal: isAboutToken(failure) };
      handleOnline();
      this.#up(link, false);
      this.#setStatus("online", null, null);
      for (let failures = 0; ; ) {
        const ended = await this.#untilRenewal(link, failures);
        // The successor of a bound token takes over the link itself, and may have failed then.
        if (ended?.code === "taken_over" && failures > 0) return refusalOf(new ChatError("connection_lost"));
        if (ended !== null) return refusalOf(ended);
        const successor = await this.#succeed();
        failures = successor === null ? failures + 1 : 0;
        if (successor === null) continue;
        const old = link;
        link = successor;
        this.#up(link, true);
        void old.close();
      }
    } finally {
      handleDown();
      void link.close();
    }
  }

  /** Asks for a token that is bound to another client id, and ends the pause when there is one. */
  async #findOtherClientId(): Promise<void> {
    const { tokens } = this.#options;
    if (!tokens.renewable) return;
    const before = await tokens.get().catch(() => null);
    const next = await tokens.renew().catch(() => null);
    if (before !== null && next !== null && next.boundClientId !== before.boundClientId) this.wake();
  }

  /** Opens a link; with another token when the server refuses this one. */
  async #open(first: Token, successor: boolean): Promise<Link> {
    const { openLink, tokens, log } = this.#options;
    for (let token = first; ; token = await tokens.renew()) {
      try {
        return await openLink(token, successor, this.signal);
      } catch (thrown) {
        const error = await this.#explain(ChatError.fromUnknown(thrown), token);
        if (token !== first || !tokens.renewable || !isAboutCredentials(error)) throw error;
        log.info({ code: error.code }, "asking for another token");
      }
    }
  }

  /** Some servers close the socket of a refused client without a word: REST tells the reason. */
  async #explain(error: ChatError, token: Token): Promise<ChatError> {
    if (this.signal.aborted) return error;
    const cause =
      error.code === "connection_lost"
        ? await this.#options.verify(token).then(() => error, ChatError.fromUnknown)
        : error;
    if (!isAboutCredentials(cause)) return cause;
    const { expiresAt } = token;
    const expired =
      cause.code === "unauthorized" && expiresAt !== null && expiresAt <= this.#options.serverNow();
    return expired ? new ChatError("token_expired", undefined, { cause }) : cause;
  }

  /** `null` when the next token is due; otherwise the reason why the link ended. */
  async #untilRenewal(link: Link, failures: number): Promise<ChatError | null> {
    const { clock, serverNow, tokens, backoff } = this.#options;
    const { expiresAt } = await tokens.get();
    if (expiresAt === null || !tokens.renewable) return link.ended;
    const due = new AbortController();
    const remaining = expiresAt - serverNow();
    const untilMs = failures === 0 ? remaining * renewAfter : Math.min(backoff(failures), remaining);
    const timer = delay(clock, Math.max(shortestRenewalMs, untilMs), due.signal);
    const ended = await Promise.race([link.ended, timer.then(() => null)]);
    due.abort();
    return ended;
  }

  /** Make before break: a caught-up link with the next token, or `null` when that failed. */
  async #succeed(): Promise<Link | null> {
    const { tokens, catchUp, log } = this.#options;
    let link: Link | undefined;
    try {
      const before = await tokens.get();
      const token = await tokens.renew();
      // The provider handed out its cached token: a connection with it would end at the same time.
      if (token.text === before.text) return null;
      link = await this.#open(token, true);
      await catchUp(this.#whileOpen(link));
      return link;
    } catch (thrown) {
      log.warn({ code: ChatError.fromUnknown(thrown).code }, "the token could not be renewed yet");
      void link?.close();
      return null;
    }
  }

  #whileOpen(link: Link): AbortSignal {
    const gone = new AbortController();
    void link.ended.then(() => gone.abort());
    return AbortSignal.any([this.signal, gone.signal]);
  }

  #up(link: Link, successor: boolean): void {
    this.#current = link;
    this.#options.handleUp(link, successor);
  }

  async #pause(reason: ChatError, attempt: number, atLeastMs: number): Promise<void> {
    const { backoff, clock } = this.#options;
    const retryInMs = Math.max(Math.round(backoff(attempt)), reason.retryAfterMs ?? 0, atLeastMs);
    this.#setStatus(this.#status === "connecting" ? "connecting" : "reconnecting", reason, retryInMs);
    this.#wake = new AbortController();
    await delay(clock, retryInMs, AbortSignal.any([this.#wake.signal, this.signal]));
    this.#wake = undefined;
  }

  #end(reason: ChatError | null): void {
    this.#setStatus("closed", reason, null);
    this.#abort.abort();
    this.#handleClosed(reason);
  }

  #setStatus(status: Status, reason: ChatError | null, retryInMs: number | null): void {
    if (this.#status === "closed") return;
    this.#options.log.info({ status, code: reason?.code, retryInMs }, "connection");
    this.#status = status;
    this.#options.handleStatus({ status, reason, retryInMs });
  }
}

/** Only credentials are refused for good: everything else may be better the next time. */
function refusalOf(thrown: unknown): Ending {
  const reason = ChatError.fromUnknown(thrown);
  return { reason, isRefusal: isAboutCredentials(reason) };
}

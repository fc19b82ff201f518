import type { ErrorCode } from "@chat21/protocol";
import { ChatError, tokenHolderSchema } from "@chat21/protocol";
import type { TokenSource } from "../api/options.ts";
import type { Clock } from "./clock.ts";

/** A token and its claims. The server verifies it; this client does not. */
export interface Token {
  readonly text: string;
  readonly user: string;
  readonly app: string;
  /** The MQTT client id it is bound to; `null` when it is bound to none. */
  readonly boundClientId: string | null;
  /** Milliseconds of the server's clock; `null` when it never ends. */
  readonly expiresAt: number | null;
}

const tokenCodes: ReadonlySet<ErrorCode> = new Set(["unauthorized", "token_expired", "token_revoked"]);

/** Whether the error says that the token is not accepted at all. */
export function isAboutToken({ code }: ChatError): boolean {
  return tokenCodes.has(code);
}

/** Whether another token could help. */
export function isAboutCredentials(error: ChatError): boolean {
  return isAboutToken(error) || error.code === "forbidden";
}

/** Time that a provider has for a token. */
const providerTimeoutMs = 15_000;

/** Reads a JWT's claims; a text that says what it is instead. */
function readToken(given: string): Token | string {
  const text = `${given}`.trim();
  const claims = tokenHolderSchema.safeParse(decodePayload(text));
  if (!claims.success) return `expected a Chat21 token, got ${nameMistake(text)}`;
  const { sub, app_id: app, exp, client_id: clientId, profile } = claims.data;
  // Compat tokens repeat the user's id as client id; only strict ones mean it.
  const boundClientId = profile === "strict" && clientId !== undefined ? clientId : null;
  return { text, user: sub, app, boundClientId, expiresAt: exp === undefined ? null : exp * 1_000 };
}

/** Tells what was given instead of a token, without its text. */
function nameMistake(text: string): string {
  if (text.startsWith("<")) return "an HTML page";
  if (/^["{[]/.test(text)) return "JSON: give the token inside";
  return /\s/.test(text) ? "words: give the token alone, without Bearer" : "something else";
}

function decodePayload(text: string): unknown {
  try {
    const payload = (text.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))));
  } catch {
    return undefined;
  }
}

/** The user that a token is for. */
export type TokenUser = Pick<Token, "app" | "user">;

/** Holds the token in use, and gets the next one; one request at a time. */
export class TokenKeeper {
  readonly #source: TokenSource;
  readonly #clock: Clock;
  #expected: TokenUser | undefined;
  #current: Token | undefined;
  #renewal: Promise<Token> | undefined;
  #giveUp: (() => void) | undefined;

  constructor(source: TokenSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Whether there can be another token. */
  get renewable(): boolean {
    return typeof this.#source === "function";
  }

  /**
   * The token in use. A provider that fails, takes more than 15 s, or answers something else than a token is asked again
   * later: its error is thrown as `connection_lost`, or `timeout`. An error that it throws as a `ChatError` stays as it is.
   */
  async get(): Promise<Token> {
    return this.#current ?? (await this.renew());
  }

  /** A new token of the same user. A token that is not renewable stays. */
  renew(): Promise<Token> {
    this.#renewal ??= this.#ask().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /** From now on only tokens of this user are taken. */
  expect(user: TokenUser): void {
    this.#expected = user;
  }

  /** Waits no longer for the provider. */
  close(): void {
    this.#giveUp?.();
  }

  async #ask(): Promise<Token> {
    const token = readToken(
      typeof this.#source === "string" ? this.#source : await this.#obtain(this.#source),
    );
    if (typeof token === "string")
      throw new ChatError(this.renewable ? "connection_lost" : "unauthorized", token);
    const { user, app } = this.#expected ?? token;
    if (token.user !== user || token.app !== app) {
      throw new ChatError("forbidden", `expected a token of ${user}, got one of ${token.user}`);
    }
    this.#current = token;
    return token;
  }

  #obtain(provide: Exclude<TokenSource, string>): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      this.#giveUp = () => reject(new ChatError("timeout", "the token provider does not answer"));
      const stop = this.#clock.after(providerTimeoutMs, this.#giveUp);
      void Promise.resolve()
        .then(provide)
        .then(resolve, (cause) => {
          const isTyped = cause instanceof ChatError;
          reject(
            isTyped
              ? cause
              : new ChatError("connection_lost", `the token provider failed: ${cause}`, { cause }),
          );
        })
        .finally(stop);
    });
  }
}

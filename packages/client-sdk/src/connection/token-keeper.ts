import type { ErrorCode } from "@chat21/protocol";
import { ChatError, claimsSchema } from "@chat21/protocol";
import type { TokenSource } from "../api/options.ts";

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

/** Reads a JWT's claims. Throws `unauthorized` for anything else. */
function readToken(text: string): Token {
  const claims = claimsSchema.safeParse(decodePayload(text));
  if (!claims.success) throw new ChatError("unauthorized", "the token is not a Chat21 token");
  const { sub, app_id: app, exp, client_id: clientId, profile } = claims.data;
  // Compat tokens repeat the user's id as client id; only strict ones mean it.
  const boundClientId = profile === "strict" && clientId !== undefined ? clientId : null;
  return { text, user: sub, app, boundClientId, expiresAt: exp === undefined ? null : exp * 1_000 };
}

function decodePayload(text: string): unknown {
  try {
    const payload = (text.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))));
  } catch {
    return undefined;
  }
}

/** Holds the token in use, and gets the next one; one request at a time. */
export class TokenKeeper {
  readonly #source: TokenSource;
  #current: Token | undefined;
  #renewal: Promise<Token> | undefined;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** Whether there can be another token. */
  get renewable(): boolean {
    return typeof this.#source === "function";
  }

  /** The token in use. An error of the provider is thrown as `connection_lost`: the provider is asked again later. */
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

  async #ask(): Promise<Token> {
    const token = readToken(await this.#obtain());
    const { user, app } = this.#current ?? token;
    if (token.user !== user || token.app !== app) {
      throw new ChatError("forbidden", `expected a token of ${user}, got one of ${token.user}`);
    }
    this.#current = token;
    return token;
  }

  async #obtain(): Promise<string> {
    if (typeof this.#source === "string") return this.#source;
    try {
      return await this.#source();
    } catch (thrown) {
      if (thrown instanceof ChatError) throw thrown;
      throw new ChatError("connection_lost", "the token provider failed", { cause: thrown });
    }
  }
}

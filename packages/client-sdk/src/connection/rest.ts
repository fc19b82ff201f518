import type { HistoryResponse, SyncRequest, SyncResponse } from "@chat21/protocol";
import {
  ChatError,
  historyResponseSchema,
  nameListSchema,
  outsideJson,
  syncResponseSchema,
} from "@chat21/protocol";
import type { HistoryRange, SyncSource } from "../sync/sync-source.ts";
import type { Clock } from "./clock.ts";
import { errorOf } from "./rest-error.ts";
import type { Token, TokenKeeper } from "./token-keeper.ts";
import { isAboutCredentials } from "./token-keeper.ts";

/** Settings of a {@link RestClient}. */
export interface RestOptions {
  /** With its `/api`. */
  readonly apiUrl: string;
  readonly tokens: TokenKeeper;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** Content and settings of a request. */
export interface RequestOptions {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly signal?: AbortSignal | undefined;
}

/** Anything that checks and types a value; a zod schema is one. */
export interface Schema<Value> {
  safeParse(value: unknown): { readonly success: true; readonly data: Value } | { readonly success: false };
}

/** Users in one request, at most. */
export const mostUsers = 100;

/** Asks for users: repeated, each is one id, whatever commas are in it. */
export function usersQuery(users: readonly string[]): readonly (readonly [string, string])[] {
  return (users.length > 1 ? users : [...users, ...users]).map((user) => ["users", user]);
}

/** For answers of which only the success counts, or that are read elsewhere. */
export const anything: Schema<unknown> = { safeParse: (data) => ({ success: true, data }) };

/**
 * Times for an answer, one after the other, of a request that may be repeated: a pooled connection may have died, as after
 * sleep, and the next try gets another one. Any other request has the last time.
 */
const triesMs = [4_000, 4_000, 15_000];

/**
 * Calls the server's REST API. Throws only `ChatError`. Asks once for a new token when the server refuses the one in
 * use.
 */
export class RestClient implements SyncSource {
  readonly #options: RestOptions;
  /** Difference to the server's clock: a device's own clock may be hours off. */
  #skewMs = 0;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** The server's clock by its answers, milliseconds; this device's clock before the first answer. */
  get serverNow(): number {
    return this.#options.clock.now() + this.#skewMs;
  }

  async sync(body: SyncRequest, signal: AbortSignal): Promise<SyncResponse> {
    const answer = await this.call("POST", ["v1", null, "sync"], syncResponseSchema, { body, signal });
    this.#skewMs = answer.now - this.#options.clock.now();
    return answer;
  }

  events(conversWith: string, range: HistoryRange, signal?: AbortSignal): Promise<HistoryResponse> {
    const query = Object.fromEntries(Object.entries(range).map(([key, value]) => [key, String(value)]));
    return this.call("GET", ["v1", null, "conversations", conversWith, "events"], historyResponseSchema, {
      query,
      signal,
    });
  }

  /** Names from profiles, by id. */
  async names(users: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const names = new Map<string, string>();
    for (let from = 0; from < users.length; from += mostUsers) {
      const query = usersQuery(users.slice(from, from + mostUsers));
      const answer = await this.call("GET", ["v1", null, "names"], nameListSchema, { query });
      for (const { user, name } of answer.names) names.set(user, name);
    }
    return names;
  }

  /** Moves a conversation to the archive, or out of it. */
  archive(conversWith: string, archived: boolean): Promise<unknown> {
    const path = [null, "conversations", conversWith];
    return this.call("DELETE", archived ? path : ["v1", ...path, "archive"], anything, { body: {} });
  }

  /** Throws when the server does not accept this token, or cannot be reached. */
  async verify(token: Token): Promise<void> {
    await this.#fetch("GET", [null, "getInfo"], token, {});
  }

  /** `null` in a path stands for the app. */
  async call<Value>(
    method: string,
    path: readonly (string | null)[],
    schema: Schema<Value>,
    options: RequestOptions = {},
  ): Promise<Value> {
    const parsed = schema.safeParse(
      await this.#withToken((token) => this.#fetch(method, path, token, options)),
    );
    if (parsed.success) return parsed.data;
    throw new ChatError(
      "unsupported",
      `the answer to ${method} ${path.filter(Boolean).join("/")} has another form`,
    );
  }

  async #withToken<Value>(request: (token: Token) => Promise<Value>): Promise<Value> {
    const { tokens } = this.#options;
    const token = await tokens.get();
    try {
      return await request(token);
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      // `forbidden` is about the requested thing, not about the user.
      if (!tokens.renewable || !isAboutCredentials(error) || error.code === "forbidden") throw error;
      const current = await tokens.get();
      return request(current === token ? await tokens.renew() : current);
    }
  }

  async #fetch(
    method: string,
    path: readonly (string | null)[],
    token: Token,
    options: RequestOptions,
  ): Promise<unknown> {
    const tries = method !== "POST" || path.at(-1) === "sync" ? [...triesMs] : triesMs.slice(-1);
    for (;;) {
      try {
        return await this.#try(method, path, token, options, tries.shift() as number);
      } catch (thrown) {
        if (tries.length === 0 || ChatError.fromUnknown(thrown).code !== "timeout") throw thrown;
      }
    }
  }

  async #try(
    method: string,
    path: readonly (string | null)[],
    token: Token,
    options: RequestOptions,
    withinMs: number,
  ): Promise<unknown> {
    const { apiUrl, clock, fetch } = this.#options;
    const url = `${apiUrl}/${path.map((segment) => encodeURIComponent(segment ?? token.app)).join("/")}`;
    const query = options.query === undefined ? "" : `?${new URLSearchParams(options.query as never)}`;
    const timeout = new AbortController();
    const stop = clock.after(withinMs, () => timeout.abort());
    try {
      const response = await fetch(url + query, {
        method,
        headers: {
          authorization: `Bearer ${token.text}`,
          ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        signal:
          options.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, options.signal]),
      });
      if (!response.ok) throw await errorOf(response);
      return JSON.parse(outsideJson(await response.text()));
    } catch (thrown) {
      if (thrown instanceof ChatError) throw thrown;
      if (timeout.signal.aborted)
        throw new ChatError("timeout", `no answer in ${withinMs} ms`, { cause: thrown });
      throw new ChatError("connection_lost", "the server cannot be reached", { cause: thrown });
    } finally {
      stop();
    }
  }
}

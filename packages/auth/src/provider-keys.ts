import type { Clock } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import { type FetchPart, fetchBounded } from "./fetch-bounded.ts";

/** Where the keys of a provider are. */
export interface ProviderKeysOptions {
  readonly issuer: string;
  /** @default as `<issuer>/.well-known/openid-configuration` says */
  readonly jwksUrl?: string;
  readonly clock: Pick<Clock, "elapsed">;
  readonly fetch: FetchPart;
}

/**
 * The public keys of an identity provider. They stay known while it does not answer. Anybody can send tokens that name a
 * key nobody knows: so these cause one reading in 30 s at most, and a provider that failed is left alone for 5 s. Times are
 * monotonic.
 */
export class ProviderKeys {
  readonly #options: ProviderKeysOptions;
  #find: ReturnType<typeof createLocalJWKSet> | undefined;
  #reading: Promise<boolean> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProviderKeysOptions) {
    this.#options = options;
  }

  /**
   * Finds the key of a token. Throws `ChatError`: `unauthorized` for a key that the provider does not have, with
   * `retryAfterMs` when it may have made it since the last reading; `timeout` when the provider does not answer.
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.#find === undefined) await this.read();
    try {
      return await this.#known(header, token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
      const retryAfterMs = this.#readAt + cooldownMs - this.#options.clock.elapsed();
      if (retryAfterMs > 0) throw unknownKey(retryAfterMs);
      await this.read();
    }
    return this.#known(header, token).catch((thrown: unknown) => {
      throw thrown instanceof errors.JWKSNoMatchingKey ? unknownKey() : thrown;
    });
  }

  /** Reads them anew. Says whether they are others than before. Throws `timeout` when the provider does not answer. */
  async read(): Promise<boolean> {
    const { clock } = this.#options;
    const retryAfterMs = this.#failedAt + restAfterFailureMs - clock.elapsed();
    if (retryAfterMs > 0) throw noAnswer("it did not answer a moment ago", retryAfterMs);
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    try {
      return await this.#reading;
    } catch (thrown) {
      this.#failedAt = clock.elapsed();
      throw noAnswer(thrown instanceof Error ? thrown.message : "", restAfterFailureMs);
    }
  }

  #known(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    return this.#find?.(header, token) ?? Promise.reject(new errors.JWKSNoMatchingKey());
  }

  async #readNow(): Promise<boolean> {
    const { jwksUrl, clock } = this.#options;
    const before = this.#find?.jwks();
    const set = (await this.#fetch(jwksUrl ?? (await this.#discover()))) as JSONWebKeySet;
    this.#find = createLocalJWKSet(set);
    this.#readAt = clock.elapsed();
    return before !== undefined && JSON.stringify(before) !== JSON.stringify(set);
  }

  /** Finds the address of the key set (OpenID Connect Discovery 1.0, section 4). */
  async #discover(): Promise<string> {
    const { issuer } = this.#options;
    const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const found = (await this.#fetch(address)) as { issuer?: unknown; jwks_uri?: unknown } | null;
    if (found?.issuer !== issuer) throw new Error("its configuration is of another issuer");
    if (typeof found.jwks_uri !== "string" || !isSafeAddress(found.jwks_uri)) {
      throw new Error("its configuration names no https address of keys");
    }
    return found.jwks_uri;
  }

  async #fetch(url: string): Promise<unknown> {
    const text = await fetchBounded(this.#options.fetch, url, { timeoutMs, maxBytes: answerBytes });
    try {
      return JSON.parse(text);
    } catch {
      throw new Error("its answer is no JSON");
    }
  }
}

/** Longest wait for an answer of the provider. Two of them fit into the time that a CONNECT has. */
const timeoutMs = 3_000;
/** Shortest time between a reading and the next one that a token causes. */
const cooldownMs = 30_000;
/** A provider that failed is left alone for so long. */
const restAfterFailureMs = 5_000;
/** Largest answer of the provider that is read. */
const answerBytes = 256 * 1_024;

/** Whether nobody on the way can change what is read there: https, or this machine itself. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return (
    protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(hostname))
  );
}

function unknownKey(retryAfterMs?: number): ChatError {
  const cause = new Error("its kid names no key of the identity provider");
  return new ChatError("unauthorized", undefined, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function noAnswer(reason: string, retryAfterMs: number): ChatError {
  const cause = new Error(`the identity provider does not answer: ${reason}`);
  return new ChatError("timeout", "the identity provider does not answer", { cause, retryAfterMs });
}

/** Limits of calls, per minute. Admins and `system` are exempt from `requests`. */
export interface RateLimits {
  /** Requests of one user; without a token, of one address. @default 600 */
  readonly requests: number;
  /** Sign-ins of one address. @default 30 */
  readonly signIns: number;
  /** Requests with a missing or bad token from one address that get that answer; beyond it `rate_limited`. @default 60 */
  readonly authFailures: number;
}

/** Options of the API. */
export interface HttpApiConfig {
  /** Path at which the API begins. @default "/api" */
  readonly basePath: string;
  /** Apps that are served; `null` = any. @default null */
  readonly apps: readonly string[] | null;
  /**
   * The key of sign-in by name alone, only for a listener on loopback; each request is checked besides. `null`: there is
   * no such sign-in. @default null
   */
  readonly signInKey: string | null;
  /** Whether users may read the names of people they share no conversation with. @default true */
  readonly namesVisible: boolean;
  /** Bearer token for `/metrics`; `null` = anybody who reaches the listener may read it. @default null */
  readonly metricsToken: string | null;
  readonly rateLimits: RateLimits;
  /**
   * Addresses of reverse proxies whose `X-Forwarded-For` is believed, as in express' `trust proxy`; `false` = none.
   * @default false
   */
  readonly trustProxy: false | number | string;
}

/** The defaults, each where the option does not say otherwise. */
export const httpApiDefaults: HttpApiConfig = Object.freeze({
  basePath: "/api",
  apps: null,
  signInKey: null,
  namesVisible: true,
  metricsToken: null,
  rateLimits: Object.freeze({ requests: 600, signIns: 30, authFailures: 60 }),
  trustProxy: false,
});

/** Settings of a process about the API that it serves. */
export interface ApiChoices extends Pick<HttpApiConfig, "basePath" | "namesVisible" | "trustProxy"> {
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
  /** `undefined`: none is asked for. */
  readonly metricsToken: string | undefined;
  readonly requestsPerMinute: number;
  readonly authFailuresPerMinute: number;
}

/** The API's options by the settings of a process. */
export function httpApiConfigOf(
  choices: ApiChoices,
): Partial<HttpApiConfig> & Pick<HttpApiConfig, "rateLimits"> {
  const { basePath, namesVisible, trustProxy, apps = null, metricsToken = null } = choices;
  const rateLimits = {
    ...httpApiDefaults.rateLimits,
    requests: choices.requestsPerMinute,
    authFailures: choices.authFailuresPerMinute,
  };
  return { basePath, namesVisible, trustProxy, apps, metricsToken, rateLimits };
}

/** The given options with defaults for the others, frozen. */
export function configure(options: Partial<HttpApiConfig>): HttpApiConfig {
  return Object.freeze({ ...httpApiDefaults, ...options });
}

import { createIdentityProvider, type IdentityProvider, isSafeAddress } from "@chat21/auth";
import type { Clock, Log } from "@chat21/engine";
import { defaultApp } from "@chat21/protocol";
import { createOutgoingFetch, OperatorError, type Proxies } from "@chat21/runtime";

/** The identity provider whose tokens count beside our own. */
export interface IdentityProviderConfig {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** `undefined`: as the provider's configuration says. */
  readonly jwksUrl: string | undefined;
  readonly app: string;
  readonly userClaim: string;
}

/** Names of the `CHAT21_OIDC_` settings. */
export const identityProviderSettingNames = [
  "oidcIssuer",
  "oidcAudience",
  "oidcJwksUrl",
  "oidcApp",
  "oidcUserClaim",
] as const;

/** One of {@link identityProviderSettingNames}. */
export type IdentityProviderSettingName = (typeof identityProviderSettingNames)[number];

/** The values of these settings, and the apps that are served. */
export interface IdentityProviderSettings {
  readonly issuer: string | undefined;
  readonly audiences: readonly string[] | undefined;
  readonly jwksUrl: string | undefined;
  readonly app: string | undefined;
  readonly userClaim: string | undefined;
  /** `undefined`: any. */
  readonly apps: readonly string[] | undefined;
}

/**
 * Checks the settings of an identity provider. `undefined`: there is none. Throws `OperatorError` for one without an
 * audience, for an address that others could answer for, and for an app that is not served.
 */
export function chooseIdentityProvider(given: IdentityProviderSettings): IdentityProviderConfig | undefined {
  const { issuer, audiences, jwksUrl, apps } = given;
  if (issuer === undefined) {
    if (audiences === undefined && jwksUrl === undefined) return undefined;
    throw new OperatorError("CHAT21_OIDC_ISSUER is missing: the other CHAT21_OIDC_ variables need it");
  }
  if (audiences === undefined) {
    throw new OperatorError(
      "CHAT21_OIDC_AUDIENCE is missing: without it, tokens that the provider made for other applications would count here",
    );
  }
  for (const [variable, address] of [
    ["CHAT21_OIDC_ISSUER", issuer],
    ["CHAT21_OIDC_JWKS_URL", jwksUrl],
  ] as const) {
    if (address !== undefined && !isSafeAddress(address)) {
      throw new OperatorError(`${variable}: expected an https address; http is for this machine only`);
    }
  }
  const app = given.app ?? (apps?.length === 1 ? apps[0] : undefined) ?? defaultApp;
  if (apps !== undefined && !apps.includes(app)) {
    throw new OperatorError(`CHAT21_OIDC_APP: ${app} is none of CHAT21_APPS`);
  }
  return { issuer, audiences, jwksUrl, app, userClaim: given.userClaim ?? "sub" };
}

/** Makes the verifier of its tokens. `undefined`: there is none. */
export function createProvider(
  config: IdentityProviderConfig | undefined,
  { proxies, clock, log }: { readonly proxies: Proxies; readonly clock: Clock; readonly log?: Log },
): IdentityProvider | undefined {
  if (config === undefined) return undefined;
  const { jwksUrl, ...others } = config;
  return createIdentityProvider({
    ...{ ...others, clock },
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(log === undefined ? {} : { log }),
    fetch: createOutgoingFetch({ proxies, connectTimeoutMs }),
  });
}

const connectTimeoutMs = 2_500;

import { randomUUID } from "node:crypto";
import {
  createTokens,
  createVerifier,
  type KeySetOptions,
  type RevocationStore,
  type Tokens,
  type Verifier,
} from "@chat21/auth";
import { type ClusterGround, type Proxies, readSigningKeys, systemClock } from "@chat21/runtime";
import type { Logger } from "pino";
import { createProvider, type IdentityProviderConfig } from "./identity-provider.ts";

/** Settings of {@link createAuthority}. */
export interface AuthorityConfig {
  /** HS256 secret. It has no default: everybody who knows it can sign in as any user. */
  readonly secret: string;
  /** Folder of ES256 keys, which sign instead of the secret; `undefined`: there are none. */
  readonly keysDir: string | undefined;
  /** Accepts tokens that never end. */
  readonly tokensWithoutExp: boolean;
  /** Whose tokens count beside our own; `undefined`: nobody's. */
  readonly identityProvider: IdentityProviderConfig | undefined;
}

/** Who issues tokens in a process, and who verifies them. */
export interface Authority {
  readonly tokens: Tokens;
  /** It is still to be started; it stops with the process. */
  readonly verifier: Verifier;
}

/** Makes both. The folder's keys are read again with the other files. Throws `OperatorError` for keys of no use. */
export function createAuthority<Opened extends { readonly revocations: RevocationStore }>(
  { store, drain, reloads }: Pick<ClusterGround<Opened>, "drain" | "reloads" | "store">,
  config: AuthorityConfig & { readonly proxies: Proxies },
  log: Logger,
): Authority {
  const tokens = createTokens({
    ...readKeys(config),
    ...{ clock: systemClock, newId: randomUUID, acceptWithoutExp: config.tokensWithoutExp },
  });
  const verifier = createVerifier({
    ...{ tokens, revocations: store.revocations, clock: systemClock, log },
    provider: createProvider(config.identityProvider, { proxies: config.proxies, clock: systemClock, log }),
  });
  drain.add("the verifier", 0, verifier.stop);
  if (config.keysDir !== undefined) {
    reloads.add("the keys of tokens", () => {
      tokens.replaceKeys(readKeys(config));
      verifier.forget();
    });
  }
  return { tokens, verifier };
}

function readKeys({ secret, keysDir }: AuthorityConfig): KeySetOptions {
  const es256 = keysDir === undefined ? [] : readSigningKeys("CHAT21_JWT_KEYS_DIR", keysDir);
  return { secret, es256 };
}

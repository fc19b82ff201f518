import type { ServerKeys, Tokens, Verifier } from "@chat21/auth";
import type { Clock, Engine } from "@chat21/engine";
import type { PeopleStore } from "@chat21/people";
import type { Health } from "@chat21/runtime";
import type { Registry } from "prom-client";
import type { HttpApiConfig } from "./http-api-config.ts";
import type { AuthFailureGate } from "./rate-gates.ts";

/** Services that routes use. */
export interface Services {
  readonly engine: Engine;
  readonly store: PeopleStore;
  readonly tokens: Tokens;
  readonly verifier: Verifier;
  readonly serverKeys: ServerKeys;
  readonly authFailures: AuthFailureGate;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly config: HttpApiConfig;
  /** The health that `/readyz` shows. */
  readonly health: () => Health;
  /** The OpenAPI document, as text. */
  readonly openApi: () => string;
  /** The AsyncAPI document, as text. */
  readonly asyncApi: () => string;
}

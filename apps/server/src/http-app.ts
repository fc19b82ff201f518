import type { Tokens, Verifier } from "@chat21/auth";
import type { Engine } from "@chat21/engine";
import { createCallers, createHttpApi, httpApiConfigOf, operatorApi } from "@chat21/http-api";
import { operatorPath, systemClock } from "@chat21/runtime";
import type { SqliteStore } from "@chat21/store-sqlite";
import type { Express } from "express";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Config } from "./config.ts";
import { createPageApp } from "./page-app.ts";
import type { Webhooks } from "./webhooks.ts";

/** Options of {@link createHttpApp}. */
export interface HttpAppOptions {
  readonly config: Config;
  /** `null`: nobody signs in by name. */
  readonly signInKey: string | null;
  readonly engine: Engine;
  readonly store: SqliteStore;
  readonly tokens: Tokens;
  readonly verifier: Verifier;
  readonly webhooks: Webhooks;
  readonly registry: Registry;
  readonly log: Logger;
  /** `undefined`: there is no page. */
  readonly webFolder: string | undefined;
}

/** REST, the operator's paths, health and metrics, and the web page, as one app. */
export function createHttpApp(options: HttpAppOptions): Express {
  const { config, signInKey, engine, store, tokens, verifier, webhooks, registry, log, webFolder } = options;
  const apiConfig = httpApiConfigOf(config);
  const { rateLimits } = apiConfig;
  const callers = createCallers({ verifier, keys: store.serverKeys, rateLimits, clock: systemClock, log });
  const api = createHttpApi({
    ...{ engine, store, tokens, ...callers, clock: systemClock, log, registry },
    config: { ...apiConfig, signInKey },
  });
  return createPageApp({
    api,
    paths: { [operatorPath]: operatorApi({ engine, store, ...callers, webhooks, log }) },
    trustProxy: config.trustProxy,
    webFolder,
    isTls: config.tls !== undefined,
  });
}

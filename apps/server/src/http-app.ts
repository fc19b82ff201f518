import type { Tokens, Verifier } from "@chat21/auth";
import { isMqttPath } from "@chat21/broker-embedded";
import type { Engine } from "@chat21/engine";
import { createHttpApi, httpApiConfigOf, operatorApi } from "@chat21/http-api";
import { operatorPath, systemClock } from "@chat21/runtime";
import type { SqliteStore } from "@chat21/store-sqlite";
import express, { type Express } from "express";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Config } from "./config.ts";
import { wantsPage, webPage } from "./web-page.ts";
import type { Webhooks } from "./webhooks.ts";

/** Options of {@link createHttpApp}. */
export interface HttpAppOptions {
  readonly config: Config;
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
  const { config, engine, store, verifier, webhooks, webFolder } = options;
  const api = createHttpApi({
    ...{ engine, store, verifier, tokens: options.tokens, registry: options.registry, log: options.log },
    clock: systemClock,
    config: { ...httpApiConfigOf(config), developmentSignIn: config.development },
  });
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", config.trustProxy);
  app.use((request, response, next) => {
    if (!isMqttPath(request)) return next();
    response.status(426).set({ connection: "Upgrade", upgrade: "websocket" });
    response.type("text/plain").send("Only MQTT over WebSocket is spoken here.");
  });
  app.use(operatorPath, operatorApi({ engine, store, verifier, webhooks }));
  const page = webFolder === undefined ? undefined : webPage(webFolder, config.tls !== undefined);
  if (page !== undefined) {
    app.get("/", (request, response, next) => (wantsPage(request) ? page(request, response, next) : next()));
  }
  app.use(api);
  if (page !== undefined) app.use(page);
  return app;
}

import type { ServerKeys, Tokens, Verifier } from "@chat21/auth";
import type { Clock, Engine } from "@chat21/engine";
import type { PeopleStore } from "@chat21/people";
import { ChatError } from "@chat21/protocol";
import type { Health } from "@chat21/runtime";
import cors from "cors";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { buildAsyncApi } from "./asyncapi.ts";
import { compressAnswers } from "./compress-answers.ts";
import { errorPage } from "./error-page.ts";
import { findToken } from "./find-token.ts";
import { createHeavyGate } from "./heavy-gate.ts";
import { configure, type HttpApiConfig } from "./http-api-config.ts";
import { buildOpenApi } from "./openapi.ts";
import { type AuthFailureGate, createAuthFailureGate, createRateGates } from "./rate-gates.ts";
import { refuse } from "./refusal.ts";
import { refusalLines } from "./refusal-lines.ts";
import { sendReply } from "./reply.ts";
import { logRequests } from "./request-log.ts";
import { measureRequests } from "./request-metrics.ts";
import { fullPath, type Route } from "./route.ts";
import { routesFor } from "./routes.ts";
import { serveRoute } from "./serve-route.ts";
import type { Services } from "./services.ts";

/** Options of {@link createHttpApi}. */
export interface HttpApiOptions {
  readonly engine: Engine;
  readonly store: PeopleStore;
  readonly tokens: Tokens;
  /** Started by the caller; the code that closes live sessions listens to its `onRevocation`. */
  readonly verifier: Verifier;
  readonly serverKeys: ServerKeys;
  /** Shared with the process' other paths. @default its own, with the limit of `config` */
  readonly authFailures?: AuthFailureGate;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gets the API's own metrics; `/metrics` shows it. */
  readonly registry: Registry;
  /** The health that `/readyz` shows. @default the engine's health */
  readonly health?: () => Health;
  readonly config?: Partial<HttpApiConfig>;
}

/**
 * The REST API as an express app: the existing paths under `/api`, the new ones under `/api/v1`, and `/healthz`,
 * `/readyz`, `/metrics`. May be mounted beside other routers: it answers every request under its base path and lets all
 * others pass.
 */
export function createHttpApi({ log, config: options = {}, ...parts }: HttpApiOptions): Express {
  const config = configure(options);
  const routes = routesFor(config);
  const services: Services = {
    health: () => parts.engine.health(),
    authFailures: createAuthFailureGate(config.rateLimits, parts.clock),
    ...parts,
    config,
    openApi: onceMade(() => JSON.stringify(buildOpenApi(routes, config.basePath))),
    asyncApi: onceMade(() => JSON.stringify(buildAsyncApi())),
  };
  const app = express();
  app.disable("x-powered-by");
  // A hash of every answer costs more than it saves: hardly anybody asks twice for what stays the same.
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("trust proxy", config.trustProxy);
  const before = [logRequests(log), measureRequests(parts.registry), securityHeaders()];
  const gates = { rate: createRateGates(config.rateLimits, parts.clock), heavy: createHeavyGate() };
  const note = refusalLines(log, parts.clock);
  const compress = compressAnswers();
  const mount = (route: Route) => {
    const path = fullPath(route, config.basePath).replace(/\{(\w+)\}/g, ":$1");
    const open = isCrossOrigin(route) ? [crossOrigin] : [];
    app.options(path, ...before, ...open, unknownPath);
    // Answers for operators' machines are small or read on the same machine.
    const packed = route.api === "operations" ? [] : [compress];
    app[route.method](path, ...before, ...open, ...packed, serveRoute(route, services, gates, log, note));
  };
  /** Answers the methods that a known path does not have. */
  const mountOthers = (path: string, some: readonly Route[]) => {
    const open = some.some(isCrossOrigin) ? [crossOrigin] : [];
    app.all(path.replace(/\{(\w+)\}/g, ":$1"), ...before, ...open, methodNotAllowed(some));
  };
  const isOld = ({ api }: Route) => api === "v0";
  // `/api/v1/x/conversations` would also be the conversations of the user `x` in an app called `v1`: there is none.
  const isNew = (route: Route) => !isOld(route);
  routes.filter(isNew).forEach(mount);
  for (const [path, some] of Map.groupBy(routes.filter(isNew), (route) => fullPath(route, config.basePath))) {
    mountOthers(path, some);
  }
  app.use(`${config.basePath}/v1`, ...before, crossOrigin, unknownPath);
  routes.filter(isOld).forEach(mount);
  app.use(config.basePath, ...before, crossOrigin, unknownOldPath(services));
  app.use(lastResort(`${config.basePath}/v1/`, log));
  return app;
}

/** A text that is made at its first use. */
function onceMade(make: () => string): () => string {
  let text: string | undefined;
  return () => {
    text ??= make();
    return text;
  };
}

/** Other pages in the same browser must not be able to sign in by name. */
function isCrossOrigin(route: Route): boolean {
  return route.who !== "local" && route.api !== "operations";
}

const crossOrigin: RequestHandler = cors({
  origin: "*",
  exposedHeaders: ["retry-after", "x-chat21-epoch", "x-chat21-message-id", "x-chat21-seq", "x-request-id"],
  maxAge: 600,
});

function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // An API for pages of other origins, which CORS lets in.
    crossOriginResourcePolicy: { policy: "cross-origin" },
    // The operator of the host decides whether it and its subdomains always speak TLS.
    strictTransportSecurity: false,
  });
}

/** Answers requests that express itself rejects before any route: a path whose `%` escapes cannot be decoded. */
function lastResort(newApi: string, log: Logger): ErrorRequestHandler {
  return (thrown, request, response, _next) => {
    const isUnreadable = thrown instanceof URIError;
    if (!isUnreadable) log.error({ err: thrown }, "a request failed outside every route");
    const error = new ChatError(isUnreadable ? "bad_request" : "internal", "the path cannot be decoded");
    const isNew = request.originalUrl.startsWith(newApi);
    sendReply(response, isNew ? refuse("v1", error) : errorPage(isUnreadable ? 400 : 500));
  };
}

const unknownPath: RequestHandler = (_request, response) => {
  sendReply(response, refuse("v1", new ChatError("not_found", "there is no such path")));
};

/** Answers with the methods that a path has (RFC 9110, 15.5.6). */
function methodNotAllowed(routes: readonly Route[]): RequestHandler {
  const methods = routes.map(({ method }) => method.toUpperCase());
  const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  return (request, response) => {
    const error = new ChatError("method_not_allowed", `${request.method} is not one of ${allow}`);
    sendReply(response.set("allow", allow), refuse("v1", error));
  };
}

/** The existing API asks for a token first, even for an unknown path. */
function unknownOldPath({ verifier }: Services): RequestHandler {
  return async (request, response) => {
    try {
      const token = findToken(request, { fromQuery: true });
      if (token === undefined) throw new ChatError("unauthorized");
      await verifier.verify(token);
      sendReply(response, errorPage(404, `Cannot ${request.method} ${request.baseUrl}${request.path}`));
    } catch (thrown) {
      sendReply(response, refuse("v0", thrown));
    }
  };
}

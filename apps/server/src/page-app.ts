import { isEventStreamPath, isMqttPath } from "@chat21/broker-embedded";
import express, { type Express, type RequestHandler } from "express";
import { wantsPage, webPage } from "./web-page.ts";

/** Options of {@link createPageApp}. */
export interface PageAppOptions {
  readonly api: RequestHandler;
  /** Served before the API. @default none */
  readonly paths?: Readonly<Record<string, RequestHandler>>;
  /** As express' `trust proxy`. */
  readonly trustProxy: false | number | string;
  /** `undefined`: there is no page. */
  readonly webFolder: string | undefined;
  readonly isTls: boolean;
}

/** The API and the web page as one app; plain requests for the paths of WebSocket MQTT are told so (426). */
export function createPageApp({ api, paths = {}, trustProxy, webFolder, isTls }: PageAppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", trustProxy);
  app.use((request, response, next) => {
    // The edge answers these on the same server.
    if (isEventStreamPath(request)) return;
    if (!isMqttPath(request)) return next();
    response.status(426).set({ connection: "Upgrade", upgrade: "websocket" });
    response.type("text/plain").send("Only MQTT over WebSocket is spoken here.");
  });
  for (const [path, handler] of Object.entries(paths)) app.use(path, handler);
  const page = webFolder === undefined ? undefined : webPage(webFolder, isTls);
  if (page !== undefined) {
    app.get("/", (request, response, next) => (wantsPage(request) ? page(request, response, next) : next()));
  }
  app.use(api);
  if (page !== undefined) app.use(page);
  return app;
}

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { Health } from "./health.ts";

/** Options of {@link operationsListener}: a listener for operators and their machines only. */
export interface OperationsOptions {
  readonly health: () => Health;
  readonly registry: Pick<Registry, "contentType" | "metrics">;
  /** Bearer token for `/metrics`. @default everybody who reaches the listener may read it */
  readonly metricsToken?: string | undefined;
  /** Status for every other path. @default 404 */
  readonly otherwise?: 404 | 503;
}

/** Serves `/healthz`, `/readyz` and `/metrics`, with the answers that the HTTP API gives under the same paths. */
export function operationsListener(options: OperationsOptions): RequestListener {
  return (request, response) => {
    void answer(options, request, response).catch(() => send(response, 500, "text/plain", ""));
  };
}

async function answer(
  { health, registry, metricsToken, otherwise = 404 }: OperationsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path] = (request.url ?? "").split("?", 1);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return send(response, otherwise === 404 ? 405 : otherwise, "text/plain", "");
  }
  if (path === "/healthz") return sendJson(response, 200, { status: "ok" });
  if (path === "/readyz") {
    const now = health();
    return sendJson(response, now.ready ? 200 : 503, now);
  }
  if (path !== "/metrics") return send(response, otherwise, "text/plain", "");
  if (metricsToken !== undefined && !isSameToken(bearer(request), metricsToken)) {
    response.setHeader("www-authenticate", 'Bearer realm="chat21 metrics"');
    return send(response, 401, "text/plain", "");
  }
  send(response, 200, registry.contentType, await registry.metrics());
}

function bearer(request: IncomingMessage): string {
  return /^bearer (.*)$/i.exec(request.headers.authorization ?? "")?.[1]?.trim() ?? "";
}

/** Whether two tokens are the same. The time it takes does not show how much of a token was right. */
export function isSameToken(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.setHeader("cache-control", "no-store");
  send(response, status, "application/json; charset=utf-8", JSON.stringify(body));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": type, "x-content-type-options": "nosniff" }).end(body);
}

import type { RequestHandler } from "express";
import { Histogram, type Registry } from "prom-client";

/**
 * Measures requests as `chat21_http_request_seconds` by route (its id, or `unknown`), method and status: the route
 * table bounds the number of series, whatever paths are called.
 */
export function measureRequests(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: "chat21_http_request_seconds",
    help: "Time to answer a request, by route, method and status.",
    labelNames: ["route", "method", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  return (request, response, next) => {
    const stop = duration.startTimer();
    response.once("finish", () => {
      const route = String(response.locals["route"] ?? "unknown");
      // Callers may invent methods for paths that do not exist.
      const method = route === "unknown" ? "any" : request.method;
      stop({ route, method, status: response.statusCode });
    });
    next();
  };
}

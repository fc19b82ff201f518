import { isSameToken } from "@chat21/runtime";
import * as z from "zod";
import { findToken } from "../find-token.ts";
import { empty, json, jsonText } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

const readinessSchema = z.object({ ready: z.boolean(), reason: z.string() }).meta({ id: "Readiness" });

/** Routes for operators and their machines, and the documentation. */
export const operationsRoutes: readonly Route[] = [
  defineRoute({
    id: "isAlive",
    api: "operations",
    method: "get",
    path: "/healthz",
    at: "root",
    who: "public",
    summary: "The process is alive.",
    answers: {
      200: { description: "Alive.", schema: z.object({ status: z.literal("ok") }).meta({ id: "Alive" }) },
    },
    handle: () => json(200, { status: "ok" }, { "cache-control": "no-store" }),
  }),
  defineRoute({
    id: "isReady",
    api: "operations",
    method: "get",
    path: "/readyz",
    at: "root",
    who: "public",
    summary: "Requests can be served: the store answers, and the server is not stopping.",
    answers: {
      200: { description: "Ready.", schema: readinessSchema },
      503: {
        description: "Not ready, and why.",
        schema: readinessSchema,
      },
    },
    handle(_request, { health }) {
      const now = health();
      return json(now.ready ? 200 : 503, now, { "cache-control": "no-store" });
    },
  }),
  defineRoute({
    id: "getMetrics",
    api: "operations",
    method: "get",
    path: "/metrics",
    at: "root",
    who: "public",
    summary: "Metrics for Prometheus; with the bearer token for metrics, where one is set.",
    answers: {
      200: { description: "Metrics.", schema: z.string(), contentType: "text/plain" },
      401: { description: "The token for metrics is missing or wrong." },
    },
    async handle({ http }, { registry, config }) {
      const { metricsToken } = config;
      if (metricsToken !== null && !isSameToken(findToken(http, { fromQuery: false }) ?? "", metricsToken)) {
        return { ...empty(401), headers: { "www-authenticate": 'Bearer realm="chat21 metrics"' } };
      }
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    },
  }),
  defineRoute({
    id: "getOpenApi",
    api: "v1",
    method: "get",
    path: "/v1/openapi.json",
    who: "public",
    summary: "This document.",
    answers: {
      200: {
        description: "OpenAPI 3.1.",
        schema: z.looseObject({ openapi: z.string() }).meta({ id: "OpenApi" }),
      },
    },
    handle: (_request, { openApi }) => jsonText(200, openApi()),
  }),
  defineRoute({
    id: "getAsyncApi",
    api: "v1",
    method: "get",
    path: "/v1/asyncapi.json",
    who: "public",
    summary: "The document of the MQTT side.",
    answers: {
      200: {
        description: "AsyncAPI 3.",
        schema: z.looseObject({ asyncapi: z.string() }).meta({ id: "AsyncApi" }),
      },
    },
    handle: (_request, { asyncApi }) => jsonText(200, asyncApi()),
  }),
];

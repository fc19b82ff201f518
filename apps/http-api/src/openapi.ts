import { errorCodes } from "@chat21/protocol";
import * as z from "zod";
import type { ApiKind } from "./refusal.ts";
import { callers, fullPath, paramNames, type Route, type RouteAnswer } from "./route.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of a route table, as a JSON value. */
export function buildOpenApi(routes: readonly Route[], basePath: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = fullPath(route, basePath);
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Chat21",
      version: "1",
      description:
        "`v1` is the API for new code: errors are problem documents (RFC 9457) with a permanent `code`. " +
        "`v0` are the paths of existing clients, with their own envelopes.",
    },
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { Problem: toSchema(problemSchema, "output") },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        raw: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description: "The token without a prefix.",
        },
        query: { type: "apiKey", in: "query", name: "token" },
      },
    },
  };
}

const tags: Readonly<Record<ApiKind, string>> = {
  v0: "Paths of existing clients and backends.",
  v1: "For new code.",
  operations: "For operators.",
};

/** A refusal under `/api/v1` (RFC 9457). */
export const problemSchema = z.object({
  type: z.literal("about:blank"),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(errorCodes)),
  detail: z.string(),
  retry_after_ms: z.optional(z.number()),
});

function operation(route: Route): Json {
  const body = requestBody(route);
  return {
    operationId: route.id,
    tags: [route.api],
    summary: route.summary,
    description: `For ${callers[route.who]}.`,
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responses(route),
    security: security(route),
  };
}

function pathParameters({ path }: Route): Json[] {
  return paramNames(path).map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
}

function queryParameters({ query }: Route): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = toSchema(query, "output") as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    // A list in a query is one text, separated by commas.
    ...(schema["type"] === "array" ? { style: "form", explode: false } : {}),
    schema,
  }));
}

function requestBody({ body, text, example }: Route): Json | undefined {
  const schema = body ?? text;
  if (schema === undefined) return undefined;
  const media = {
    schema: toSchema(schema, "input"),
    ...(example?.body === undefined ? {} : { example: example.body }),
  };
  return { required: !z.core.safeParse(schema, {}).success, content: { "application/json": media } };
}

function responses({ answers, api, who }: Route): Json {
  const entries = Object.entries(answers).map(([status, answer]) => [status, response(answer)]);
  return { ...Object.fromEntries(entries), ...refusals(api, who !== "public") };
}

function response({ description, schema, contentType = "application/json" }: RouteAnswer): Json {
  if (schema === undefined) return { description };
  return { description, content: { [contentType]: { schema: toSchema(schema, "output") } } };
}

function refusals(api: ApiKind, needsToken: boolean): Json {
  if (api === "operations") return {};
  if (api === "v1") {
    const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    return { default: { description: "A problem.", content: problem } };
  }
  return {
    ...(needsToken ? { 401: { description: "A token of another app or user, or no permission." } } : {}),
    ...(needsToken ? { 403: { description: "No good token, or not an admin's." } } : {}),
    405: { description: "The request is not valid, or not possible." },
  };
}

function security({ who, api }: Route): Json[] {
  if (who === "public" || who === "local") return [];
  return api === "v0" ? [{ bearer: [] }, { raw: [] }, { query: [] }] : [{ bearer: [] }];
}

function toSchema(schema: z.core.$ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

import { ChatError, type ErrorCode, errorCodes } from "@chat21/protocol";
import * as z from "zod";
import { ambiguity } from "./ambiguity.ts";
import { paramForms } from "./check-input.ts";
import { errorPage } from "./error-page.ts";
import { type ApiKind, refuse, refuseDenied, refuseNonAdmin } from "./refusal.ts";
import type { Reply } from "./reply.ts";
import { callers, fullPath, paramNames, type Route, type RouteAnswer } from "./route.ts";
import { createSchemaBook, type SchemaBook } from "./schema-book.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of a route table, as a JSON value. */
export function buildOpenApi(routes: readonly Route[], basePath: string): Json {
  const book = createSchemaBook();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = fullPath(route, basePath);
    paths[path] = { ...paths[path], [route.method]: operation(route, routes, basePath, book) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Chat21",
      version: "1",
      license: { name: "MIT", identifier: "MIT" },
      description:
        "`v1` is the API for new code: errors are problem documents (RFC 9457) with a permanent `code`, unknown fields " +
        "are refused, and a method that a path does not have is answered with 405 and `Allow`. `v0` are the paths of " +
        "existing clients, with their own envelopes: what they do not know they ignore, and 405 means a bad request.",
    },
    servers: [{ url: "/", description: "The server that this document comes from." }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: book.named(),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A token; or a server key (`c21_…`), with which a backend is an admin of its app.",
        },
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
export const problemSchema = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int().meta({ description: "The answer's status once more." }),
    code: z.enum(Object.keys(errorCodes)).meta({ description: "Permanent name of the reason." }),
    detail: z.string(),
    retry_after_ms: z.optional(z.number().meta({ description: "Milliseconds to wait before trying again." })),
  })
  .meta({ id: "Problem", description: "Why a request was refused (RFC 9457)." });

/** A refusal of the existing paths, where it is JSON. */
const oldRefusalSchema = z
  .looseObject({
    success: z.optional(z.literal(false)),
    err: z.optional(z.union([z.string(), z.looseObject({})])),
    msg: z.optional(z.string()),
  })
  .meta({ id: "Refusal", description: "Why a request was refused, in the words of existing servers." });

function operation(route: Route, routes: readonly Route[], basePath: string, book: SchemaBook): Json {
  const body = requestBody(route, book);
  return {
    operationId: route.id,
    tags: [route.api],
    summary: route.summary,
    description: [`For ${callers[route.who]}.`, ...ambiguity(route, routes, basePath)].join(" "),
    parameters: [...pathParameters(route, book), ...queryParameters(route, book)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responses(route, book),
    security: security(route),
  };
}

function pathParameters({ path, api }: Route, book: SchemaBook): Json[] {
  return paramNames(path).map((name) => {
    const form = paramForms[name];
    if (form === undefined) throw new Error(`the segment {${name}} has no form`);
    const schema = api === "v1" ? (form.v1Schema ?? form.schema) : form.schema;
    return {
      name,
      in: "path",
      required: true,
      description: form.description,
      schema: book.schema(schema, "input"),
    };
  });
}

function queryParameters({ query }: Route, book: SchemaBook): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = book.schema(query, "output") as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    // The parameter is repeated for each item of a list.
    ...(schema["type"] === "array" ? { style: "form", explode: true } : {}),
    schema,
  }));
}

function requestBody({ body, text, example }: Route, book: SchemaBook): Json | undefined {
  const schema = body ?? text;
  if (schema === undefined) return undefined;
  const media = {
    schema: book.schema(schema, "input"),
    ...(example?.body === undefined ? {} : { example: example.body }),
  };
  return { required: !z.core.safeParse(schema, {}).success, content: { "application/json": media } };
}

function responses(route: Route, book: SchemaBook): Json {
  const answers = Object.entries(route.answers).map(([status, answer]) => [status, response(answer, book)]);
  return { ...refusals(route, book), ...Object.fromEntries(answers) };
}

function response({ description, schema, contentType = "application/json" }: RouteAnswer, book: SchemaBook) {
  if (schema === undefined) return { description };
  return { description, content: { [contentType]: { schema: book.schema(schema, "output") } } };
}

/** Codes that every route of this form can answer with, and those that the route names. */
export function possibleCodes(route: Route): readonly ErrorCode[] {
  const { api, who, path, query, body, text, problems = [] } = route;
  const takesBody = body !== undefined || text !== undefined;
  const needsToken = who !== "public" && who !== "local";
  const codes: Readonly<Partial<Record<ErrorCode, boolean>>> = {
    bad_request: query !== undefined || takesBody || (api === "v1" && needsToken),
    invalid_id: path.includes("{"),
    unauthorized: needsToken,
    token_expired: needsToken,
    token_revoked: needsToken,
    forbidden: needsToken && who !== "token",
    payload_too_large: takesBody,
    unsupported_media_type: takesBody && api === "v1",
    rate_limited: true,
    internal: true,
    store_unavailable: true,
    shutting_down: true,
  };
  const own = Object.keys(codes).filter((code) => codes[code as ErrorCode]) as ErrorCode[];
  return [...new Set([...own, ...problems])];
}

/** The refusals of a route, made by the code that answers them. */
function refusals(route: Route, book: SchemaBook): Json {
  const { api, who, body, text } = route;
  const replies: [meaning: string, reply: Reply][] = possibleCodes(route).map((code) => [
    api === "v0" ? errorCodes[code].title : `\`${code}\`: ${errorCodes[code].title}`,
    refuse(api, new ChatError(code), route.refusals),
  ]);
  if (who !== "public" && who !== "local" && who !== "token" && api === "v0") {
    replies.push(["The path is another app's or user's", refuseDenied(api, route.refusals)]);
    if (who === "admin") replies.push(["The token is not an admin's", refuseNonAdmin(api)]);
  }
  if (api === "v0" && (body ?? text) !== undefined) replies.push(["The body is not JSON", errorPage(400)]);
  const byStatus = Map.groupBy(replies, ([, { status }]) => String(status));
  return Object.fromEntries([...byStatus].map(([status, some]) => [status, refusal(status, some, book)]));
}

function refusal(
  status: string,
  replies: readonly [meaning: string, reply: Reply][],
  book: SchemaBook,
): Json {
  const types = new Set(
    replies.flatMap(([, { type }]) => (type === undefined ? [] : (type.split(";")[0] ?? []))),
  );
  const content = [...types].map((type) => [type, { schema: refusalSchema(type, book) }]);
  const hasRetryAfter = status === "429" || status === "503";
  return {
    description: `${[...new Set(replies.map(([meaning]) => meaning))].join("; ")}.`,
    ...(hasRetryAfter ? { headers: { "Retry-After": retryAfter } } : {}),
    ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
  };
}

const retryAfter = {
  description: "Seconds to wait before trying again (RFC 9110, 10.2.3).",
  schema: { type: "integer", minimum: 1 },
};

function refusalSchema(type: string, book: SchemaBook): Json {
  if (type === "application/problem+json") return book.schema(problemSchema, "output");
  if (type === "application/json") return book.schema(oldRefusalSchema, "output");
  return { type: "string" };
}

function security({ who, api }: Route): Json[] {
  if (who === "public" || who === "local") return [];
  return api === "v0" ? [{ bearer: [] }, { raw: [] }, { query: [] }] : [{ bearer: [] }];
}

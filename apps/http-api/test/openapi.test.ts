import { ChatError, errorCodes } from "@chat21/protocol";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Ajv } from "ajv";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";
import { describe, expect } from "vitest";
import * as z from "zod";
import { overlap } from "../src/ambiguity.ts";
import { buildOpenApi, possibleCodes } from "../src/openapi.ts";
import { refuse } from "../src/refusal.ts";
import { fullPath, paramNames } from "../src/route.ts";
import { routesFor } from "../src/routes.ts";
import { test } from "./api.fixture.ts";
import { app } from "./start-api.ts";

const routes = routesFor({ signInKey: "a-key" });
// biome-ignore lint/suspicious/noExplicitAny: a document of this size is read by path.
const document = JSON.parse(JSON.stringify(buildOpenApi(routes, "/api"))) as any;
const operations = routes.map((route) => ({
  route,
  operation: document.paths[fullPath(route, "/api")][route.method],
}));

test("the document lists every route of the table, and nothing else", async ({ api }) => {
  const { status, json, headers } = await api.get("/api/v1/openapi.json");

  const listed = Object.entries(json.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method} ${path}`),
  );
  const table = routesFor({ signInKey: null }).map((route) => `${route.method} ${fullPath(route, "/api")}`);
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  expect([json.openapi, json.servers[0].url]).toEqual(["3.1.0", "/"]);
  expect(listed.toSorted()).toEqual(table.toSorted());
});

test("every operation has a unique id, its parameters, and answers with what the route declares", () => {
  const ids = routes.map(({ id }) => id);

  expect(new Set(ids).size).toBe(ids.length);
  for (const { route, operation } of operations) {
    const inPath = operation.parameters.filter((one: { in: string }) => one.in === "path");
    expect(operation.operationId).toBe(route.id);
    expect(inPath.map(({ name }: { name: string }) => name)).toEqual(paramNames(route.path));
    for (const { schema } of inPath) expect(schema.$ref ?? schema.anyOf ?? schema.pattern).toBeDefined();
    for (const status of Object.keys(route.answers)) expect(operation.responses).toHaveProperty(status);
  }
});

test("query parameters and bodies come from the schemas", () => {
  const messages = document.paths["/api/{app}/{user}/conversations/{conversWith}/messages"].get;
  const parameter = (wanted: string) =>
    messages.parameters.find(({ name }: { name: string }) => name === wanted);

  expect(parameter("limit").schema).toMatchObject({ type: "integer", minimum: 1, maximum: 1_000 });
  for (const name of ["before", "after"]) {
    expect(parameter(name).schema).toMatchObject({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  }
  const send = document.paths["/api/{app}/messages"].post.requestBody;
  expect(send.required).toBe(true);
  expect(send.content["application/json"].schema.$ref).toBe("#/components/schemas/SendRequest");
  expect(document.components.schemas.SendRequest.required).toEqual([
    "sender_fullname",
    "recipient_id",
    "recipient_fullname",
  ]);
  const presence = document.paths["/api/v1/{app}/presence"].get;
  expect(presence.parameters.at(-1)).toMatchObject({ name: "users", required: true, explode: true });
});

test("every body has a name, and every number says what it counts", () => {
  const nameless: string[] = [];
  for (const { route, operation } of operations) {
    const contents = [operation.requestBody, ...Object.values(operation.responses)].map(
      (one) => (one as { content?: object } | undefined)?.content ?? {},
    );
    for (const [type, { schema }] of contents.flatMap((content) => Object.entries(content))) {
      if (/json$/.test(type) && schema.$ref === undefined) nameless.push(route.id);
    }
  }
  const silent: string[] = [];
  const walk = (path: string, value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { properties } = value as { properties?: Record<string, { type?: string; description?: string }> };
    for (const [name, property] of Object.entries(properties ?? {})) {
      const isNumber = property.type === "number" || property.type === "integer";
      if (isNumber && property.description === undefined) silent.push(`${path}.${name}`);
    }
    for (const [key, child] of Object.entries(value)) walk(`${path}.${key}`, child);
  };
  walk("", document.components.schemas);

  expect(nameless).toEqual([]);
  expect(silent).toEqual([]);
});

test("a strict token's life is bounded by an hour, a compat token's by 30 days", () => {
  const validate = new Ajv({ strict: false }).compile({
    ...document.components.schemas.TokenRequest,
    components: document.components,
  });

  expect([{ ttl: 3_600 }, { ttl: 2_592_000, profile: "compat" }].map((body) => validate(body))).toEqual([
    true,
    true,
  ]);
  expect([{ ttl: 3_601 }, { ttl: 3_601, profile: "strict" }].map((body) => validate(body))).toEqual([
    false,
    false,
  ]);
  expect(validate({ ttl: 2_592_001, profile: "compat" })).toBe(false);
});

test("every refusal that a route names is documented with the status and the type that it is answered with", () => {
  for (const { route, operation } of operations) {
    for (const code of possibleCodes(route)) {
      const { status, type } = refuse(route.api, new ChatError(code), route.refusals);
      const documented = operation.responses[status];
      expect(documented, `${route.id} ${code}`).toBeDefined();
      if (type !== undefined && route.answers[status] === undefined) {
        expect(Object.keys(documented.content), `${route.id} ${code}`).toContain(type.split(";")[0]);
      }
    }
  }
});

test("paths that fit two lines of the table say which one gets them", () => {
  const pairs = routes.flatMap((route) =>
    routes
      .filter(
        (other) =>
          other !== route &&
          other.method === route.method &&
          overlap(fullPath(route, "/api"), fullPath(other, "/api")),
      )
      .map((other) => [route, other] as const),
  );

  expect(pairs.length).toBeGreaterThan(2);
  for (const [route, other] of pairs) {
    const { description } = document.paths[fullPath(route, "/api")][route.method];
    expect(description).toContain(`\`${fullPath(other, "/api")}\``);
  }
});

describe("other people's tools", () => {
  test("Redocly's recommended rules find nothing", async () => {
    const config = await createConfig({
      extends: ["recommended"],
      // The existing paths are what they are; the test above sees that each pair is explained.
      rules: { "no-ambiguous-paths": "off" },
    });

    const lint = (source: object) => lintFromString({ source: JSON.stringify(source), config });
    const problems = await lint(document);

    expect((await lint({ ...document, servers: [] })).length).toBeGreaterThan(0);

    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
      [],
    );
  });

  test("openapi-typescript makes types that compile", async () => {
    const text = astToString(await openapiTS(document));

    const { diagnostics = [] } = ts.transpileModule(text, { reportDiagnostics: true });
    expect(diagnostics).toEqual([]);
    for (const name of Object.keys(document.components.schemas)) expect(text).toContain(`${name}: `);
  });
});

describe("under /api/v1", () => {
  test("an unknown field of a body or a query is refused, and nothing is done", async ({ api }) => {
    const token = api.token("alice");
    const issued = await api.post(`/api/v1/${app}/users/alice/tokens`, token, { ttl_seconds: 60 });
    const listed = await api.get(`/api/v1/${app}/conversations?limt=5`, token);
    const read = await api.get(`/api/v1/${app}/users/alice?x=1`, token);

    for (const { status, json } of [issued, listed, read]) {
      expect([status, json.code]).toEqual([400, "bad_request"]);
    }
    expect(issued.json.detail).toContain("ttl_seconds");
  });

  test("every body and query refuses what it does not know, but for messages", () => {
    const isOpen = (schema: z.core.$ZodType | undefined) =>
      schema !== undefined &&
      z.core
        .safeParse(schema, { no_such_field: 1 })
        .error?.issues.some(({ code }) => code === "unrecognized_keys") !== true;

    const open = routes.filter(({ api, body, query }) => api === "v1" && (isOpen(body) || isOpen(query)));

    expect(open.map(({ id }) => id)).toEqual([]);
  });

  test("a method that a path does not have is answered with those that it has", async ({ api }) => {
    const answers = await Promise.all(
      [`/api/v1/${app}/users/alice`, "/healthz", `/api/v1/${app}/sync`].map((path) =>
        api.call("PATCH", path, { token: api.token("alice") }),
      ),
    );

    expect(answers.map(({ status, json }) => [status, json.code])).toEqual(
      answers.map(() => [errorCodes.method_not_allowed.status, "method_not_allowed"]),
    );
    expect(answers.map(({ headers }) => headers["allow"])).toEqual([
      "PUT, GET, DELETE, HEAD, OPTIONS",
      "GET, HEAD, OPTIONS",
      "POST, OPTIONS",
    ]);
  });

  test("a body of another media type, charset or encoding is refused with 415", async ({ api }) => {
    const path = `/api/v1/${app}/users/alice`;
    const put = (headers: Record<string, string>) =>
      api.call("PUT", path, { token: api.token("alice"), raw: "{}", headers });

    const answers = [
      await put({ "content-type": "text/plain" }),
      await put({ "content-type": "application/json; charset=x-none" }),
      await put({ "content-encoding": "x-none" }),
    ];

    expect(answers.map(({ status, json }) => [status, json.code])).toEqual(
      answers.map(() => [415, "unsupported_media_type"]),
    );
  });
});

test("the document is plain JSON without references that lead nowhere", () => {
  const text = JSON.stringify(document);

  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) =>
    (path as string).split("/"),
  );
  expect(references.length).toBeGreaterThan(0);
  for (const path of references) {
    const found = path.reduce((at, key) => at?.[key], document);
    expect(found, path.join("/")).toBeDefined();
  }
});

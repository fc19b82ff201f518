import { expect } from "vitest";
import { buildOpenApi } from "../src/openapi.ts";
import { fullPath, paramNames } from "../src/route.ts";
import { routesFor } from "../src/routes.ts";
import { test } from "./api.fixture.ts";

const routes = routesFor({ developmentSignIn: true });

test("the document lists every route of the table, and nothing else", async ({ api }) => {
  const { status, json, headers } = await api.get("/api/v1/openapi.json");

  const listed = Object.entries(json.paths).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `${method} ${path}`),
  );
  const table = routesFor({ developmentSignIn: false }).map(
    (route) => `${route.method} ${fullPath(route, "/api")}`,
  );
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  expect(json.openapi).toBe("3.1.0");
  expect(listed.toSorted()).toEqual(table.toSorted());
});

test("every operation has a unique id, its parameters, and answers with what the route declares", () => {
  const document = buildOpenApi(routes, "/base") as {
    paths: Record<
      string,
      Record<string, { operationId: string; parameters: { name: string; in: string }[]; responses: object }>
    >;
  };
  const ids = routes.map(({ id }) => id);

  expect(new Set(ids).size).toBe(ids.length);
  for (const route of routes) {
    const operation = document.paths[fullPath(route, "/base")]?.[route.method];
    expect(operation?.operationId).toBe(route.id);
    expect(operation?.parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(
      paramNames(route.path),
    );
    for (const status of Object.keys(route.answers)) expect(operation?.responses).toHaveProperty(status);
  }
});

test("query parameters and bodies come from the schemas", () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document of this size is read by path.
  const { paths } = buildOpenApi(routes, "/api") as any;

  const messages = paths["/api/{app}/{user}/conversations/{conversWith}/messages"].get;
  expect(messages.parameters.find(({ name }: { name: string }) => name === "limit")).toMatchObject({
    in: "query",
    required: false,
    schema: { type: "integer", minimum: 1, maximum: 1_000 },
  });
  const send = paths["/api/{app}/messages"].post.requestBody;
  expect(send.required).toBe(true);
  expect(send.content["application/json"].schema.required).toEqual([
    "sender_fullname",
    "recipient_id",
    "recipient_fullname",
  ]);
  const presence = paths["/api/v1/{app}/presence"].get;
  expect(presence.parameters.at(-1)).toMatchObject({ name: "users", required: true, explode: false });
});

test("the document is plain JSON without references that lead nowhere", () => {
  const text = JSON.stringify(buildOpenApi(routes, "/api"));
  const document = JSON.parse(text);

  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) =>
    (path as string).split("/"),
  );
  expect(references.length).toBeGreaterThan(0);
  for (const path of references) {
    const found = path.reduce((at, key) => at?.[key], document);
    expect(found, path.join("/")).toBeDefined();
  }
});

import fc from "fast-check";
import { expect } from "vitest";
import { fullPath, type Route } from "../src/route.ts";
import { routesFor } from "../src/routes.ts";
import { test } from "./api.fixture.ts";
import { app, oldMessage } from "./start-api.ts";

const routes = routesFor({ signInKey: "a-key" });
const withBody = routes.filter(({ body, text }) => body !== undefined || text !== undefined);

/** These send hundreds of requests each, on machines that do other things as well. */
const many = { timeout: 60_000 };

const pathOf = (route: Route) =>
  fullPath(route, "/api").replace(/\{(\w+)\}/g, (_match, name: string) =>
    name === "app" ? app : `${name}-1`,
  );

const hostileKeys = ["__proto__", "constructor", "toString", "$ne", "a.b", "group", "sender", "seq", ""];

const hostile = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, [], {}, "", 0, -1, 1e308, true, "a".repeat(600), "\u0000", "\ud800"),
  fc.dictionary(fc.constantFrom(...hostileKeys), fc.jsonValue({ maxDepth: 2 })),
);

/** A body that is right but for one field. */
const almostRight = (route: Route) => {
  const example = (route.example?.body ?? {}) as Record<string, unknown>;
  const names = [
    ...Object.keys(example),
    "attributes",
    "group_id",
    "client_message_id",
    "cursor",
    "timestamp",
    "extra",
  ];
  return fc.tuple(fc.constantFrom(...names), hostile).map(([name, value]) => ({ ...example, [name]: value }));
};

test(
  "no body makes a route fail: it is taken or refused, and the next one is served",
  many,
  async ({ api }) => {
    for (const route of withBody) {
      const token = api.admin();
      await fc.assert(
        fc.asyncProperty(fc.oneof(almostRight(route), hostile), async (body) => {
          const answer = await api.call(route.method.toUpperCase(), pathOf(route), { token, body });
          expect(answer.status, `${route.id} ${JSON.stringify(body)} ${answer.text}`).toBeLessThan(500);
        }),
        { numRuns: 60 },
      );
    }

    const next = await api.post(`/api/${app}/messages`, api.token("alice"), oldMessage("bob", "still here"));
    expect(next.status).toBe(200);
  },
);

test("no path makes the API fail", many, async ({ api }) => {
  const segment = fc.oneof(
    fc.constantFrom(
      "api",
      "v1",
      app,
      "conversations",
      "messages",
      "groups",
      "users",
      "..",
      ".",
      "",
      "%2e%2e",
      "%00",
    ),
    fc.string().map((text) => encodeURIComponent(text.toWellFormed())),
    fc.stringMatching(/^%[0-9A-Fa-f]{2}$/),
  );
  const paths = fc.array(segment, { minLength: 1, maxLength: 7 }).map((segments) => `/${segments.join("/")}`);
  const token = api.admin();

  await fc.assert(
    fc.asyncProperty(
      paths,
      fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
      async (path, method) => {
        const answer = await api.call(method, path, { token });
        expect(answer.status, `${method} ${path}`).toBeLessThan(500);
      },
    ),
    { numRuns: 500 },
  );
});

test("no query makes a list fail", many, async ({ api }) => {
  const query = fc.array(
    fc.tuple(fc.constantFrom("limit", "before", "after", "cursor", "users", "archived", "x"), fc.string()),
  );
  const paths = routes
    .filter(({ method, query: schema }) => method === "get" && schema !== undefined)
    .map(pathOf);

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), query, async (path, pairs) => {
      const answer = await api.get(`${path}?${new URLSearchParams(pairs)}`, api.admin());
      expect(answer.status, path).toBeLessThan(500);
    }),
    { numRuns: 300 },
  );
});

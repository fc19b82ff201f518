import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { combineHealth, createPrometheusMetrics, type Health, operationsListener } from "../src/index.ts";

async function serve(
  health: () => Health,
  metricsToken?: string,
  otherwise: 404 | 503 = 404,
): Promise<string> {
  const registry = new Registry();
  createPrometheusMetrics(registry);
  const server = createServer(operationsListener({ health, registry, metricsToken, otherwise })).listen(
    0,
    "127.0.0.1",
  );
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ready: Health = { ready: true, reason: "ok" };

describe("the listener for operators", () => {
  it("says that the process is alive, and whether it is ready, as of now", async () => {
    let now = ready;
    const url = await serve(() => now);

    const first = await fetch(`${url}/readyz`);
    now = { ready: false, reason: "broker_unavailable" };
    const second = await fetch(`${url}/readyz`);
    const alive = await fetch(`${url}/healthz`);

    expect([first.status, await first.json()]).toEqual([200, ready]);
    expect([second.status, await second.json()]).toEqual([503, now]);
    expect([alive.status, await alive.json()]).toEqual([200, { status: "ok" }]);
    expect(second.headers.get("cache-control")).toBe("no-store");
  });

  it("shows metrics, to whoever has the token where there is one", async () => {
    const open = await fetch(`${await serve(() => ready)}/metrics`);
    const closed = `${await serve(() => ready, "let-me-in")}/metrics`;
    const answers = await Promise.all(
      [{}, { authorization: "Bearer wrong" }, { authorization: "Bearer let-me-in" }].map((headers) =>
        fetch(closed, { headers }),
      ),
    );

    expect(await open.text()).toContain("chat21_messages_committed_total 0");
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 200]);
  });

  it("has nothing else", async () => {
    const url = await serve(() => ready);

    expect((await fetch(`${url}/api`)).status).toBe(404);
    expect((await fetch(`${url}/readyz`, { method: "POST" })).status).toBe(405);
  });

  it("asks for patience where the rest is still to come", async () => {
    const url = await serve(() => ready, undefined, 503);

    expect((await fetch(`${url}/api`)).status).toBe(503);
    expect((await fetch(`${url}/api`, { method: "POST" })).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe("health of several parts", () => {
  it("is that of the first one that is not ready", () => {
    const [a, b] = [
      { ready: false, reason: "a" },
      { ready: false, reason: "b" },
    ];

    expect(combineHealth(ready, a, b)).toBe(a);
    expect(combineHealth(ready, ready)).toEqual(ready);
  });
});

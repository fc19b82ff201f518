import { type ClientRequest, request } from "node:http";
import { limits } from "@chat21/protocol";
import type { Gate } from "@chat21/testkit";
import { describe, expect, it, vi } from "vitest";
import { type Api, app, startApi } from "./start-api.ts";

const { heavyRequests, heavyWaiting } = limits;

/** Holds what is read of conversations until it is told to let one, or all, go. */
function createBarrier() {
  const held: (() => void)[] = [];
  let isClosed = false;
  const gate: Gate = async (point) => {
    if (isClosed && point.startsWith("conversations."))
      await new Promise<void>((resolve) => held.push(resolve));
  };
  return {
    gate,
    close: () => {
      isClosed = true;
    },
    open: () => {
      isClosed = false;
      for (const letGo of held.splice(0)) letGo();
    },
    letOneGo: () => held.shift()?.(),
    held: () => held.length,
  };
}

const listOf = (user: string) => `/api/${app}/${user}/conversations`;

/** A request that its caller may give up. */
function abandon(api: Api, path: string, token: string): ClientRequest {
  const outgoing = request({ host: "127.0.0.1", port: api.port, path, headers: { authorization: token } });
  outgoing.on("error", () => {});
  outgoing.end();
  return outgoing;
}

async function startHeld(): Promise<{ api: Api; barrier: ReturnType<typeof createBarrier> }> {
  const barrier = createBarrier();
  const api = await startApi({ gate: barrier.gate });
  barrier.close();
  return { api, barrier };
}

describe("heavy requests of one user", () => {
  it("run a few at a time, the others wait, and one more is told to come back", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");

    const taken = Array.from({ length: heavyRequests + heavyWaiting }, () => api.get(listOf("alice"), alice));
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests));
    const refused = await vi.waitFor(async () => {
      const answer = await api.get(listOf("alice"), alice);
      expect(answer.status).toBe(429);
      return answer;
    });
    const problem = await api.post(`/api/v1/${app}/sync`, alice, {});

    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.json).toEqual({ success: false, err: "Too many requests" });
    expect(problem.json).toMatchObject({ code: "rate_limited", retry_after_ms: 1_000 });
    expect(barrier.held()).toBe(heavyRequests);
    barrier.open();
    for (const answer of await Promise.all(taken)) expect(answer.status).toBe(200);
    await api.close();
  });

  it("hold up neither what is light nor anybody else", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");
    const held = Array.from({ length: heavyRequests }, () => api.get(listOf("alice"), alice));
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests));

    const light = await api.get(`/api/${app}/getInfo`, alice);
    const other = api.get(listOf("bob"), api.token("bob"));
    const admin = api.get(listOf("alice"), api.admin());
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests + 2));

    expect(light.status).toBe(200);
    barrier.open();
    for (const answer of await Promise.all([...held, other, admin])) expect(answer.status).toBe(200);
    await api.close();
  });

  it("are answered in the order in which they came", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");
    const order: number[] = [];
    const running = Array.from({ length: heavyRequests }, () => api.get(listOf("alice"), alice));
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests));
    const waiting: Promise<unknown>[] = [];
    for (let n = 0; n < 4; n++) {
      waiting.push(api.get(listOf("alice"), alice).then(() => order.push(n)));
      // The next one is sent when this one has reached the server.
      await api.get(`/api/${app}/getInfo`, alice);
    }

    while (order.length < 4) {
      barrier.letOneGo();
      await new Promise(setImmediate);
    }

    expect(order).toEqual([0, 1, 2, 3]);
    barrier.open();
    await Promise.all([...running, ...waiting]);
    await api.close();
  });

  it("whose reader leaves while they wait are never begun", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");
    const running = Array.from({ length: heavyRequests }, () => api.get(listOf("alice"), alice));
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests));

    const leaving = Array.from({ length: heavyWaiting }, () => abandon(api, listOf("alice"), alice));
    await vi.waitFor(async () => expect((await api.get(listOf("alice"), alice)).status).toBe(429));
    for (const one of leaving) one.destroy();
    const patient = vi.waitFor(async () => {
      const answer = await api.get(listOf("alice"), alice);
      expect(answer.status).toBe(200);
    });
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests));

    barrier.open();
    await patient;
    await Promise.all(running);
    await api.close();
  });

  it("whose reader leaves while they run keep their place until their work is done", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");
    const leaving = Array.from({ length: heavyRequests }, () => abandon(api, listOf("alice"), alice));
    await vi.waitFor(() => expect(barrier.held()).toBe(heavyRequests));

    for (const one of leaving) one.destroy();
    const next = api.get(listOf("alice"), alice);
    await api.get(`/api/${app}/getInfo`, alice);
    expect(barrier.held()).toBe(heavyRequests);

    barrier.open();
    expect((await next).status).toBe(200);
    await api.close();
  });
});

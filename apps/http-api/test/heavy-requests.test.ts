import { once } from "node:events";
import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonItems } from "@chat21/engine";
import { limits } from "@chat21/protocol";
import type { Gate } from "@chat21/testkit";
import express from "express";
import { describe, expect, it, vi } from "vitest";
import { createHeavyGate } from "../src/heavy-gate.ts";
import { jsonList } from "../src/reply.ts";
import { sendList } from "../src/send-list.ts";
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

/** Waits for what comes in its own time, on machines that do other things as well. */
const until = <Value>(check: () => Value | Promise<Value>) => vi.waitFor(check, { timeout: 20_000 });

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

/** As many requests of the user as may run, once all of them are held. */
async function fillPlaces<T>(barrier: ReturnType<typeof createBarrier>, ask: () => T): Promise<T[]> {
  const asked = Array.from({ length: heavyRequests }, ask);
  await until(() => expect(barrier.held()).toBe(heavyRequests));
  return asked;
}

describe("heavy requests of one user", { timeout: 30_000 }, () => {
  it("run a few at a time, the others wait, and one more is told to come back", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");

    const taken = Array.from({ length: heavyRequests + heavyWaiting }, () => api.get(listOf("alice"), alice));
    await until(() => expect(barrier.held()).toBe(heavyRequests));
    const refused = await until(async () => {
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
    const held = await fillPlaces(barrier, () => api.get(listOf("alice"), alice));

    const light = await api.get(`/api/${app}/getInfo`, alice);
    const other = api.get(listOf("bob"), api.token("bob"));
    const admin = api.get(listOf("alice"), api.admin());
    await until(() => expect(barrier.held()).toBe(heavyRequests + 2));

    expect(light.status).toBe(200);
    barrier.open();
    for (const answer of await Promise.all([...held, other, admin])) expect(answer.status).toBe(200);
    await api.close();
  });

  it("are answered in the order in which they came", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");
    const order: number[] = [];
    const running = await fillPlaces(barrier, () => api.get(listOf("alice"), alice));
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
    const running = await fillPlaces(barrier, () => api.get(listOf("alice"), alice));

    const leaving = Array.from({ length: heavyWaiting }, () => abandon(api, listOf("alice"), alice));
    await until(async () => expect((await api.get(listOf("alice"), alice)).status).toBe(429));
    for (const one of leaving) one.destroy();
    const patient = until(async () => {
      const answer = await api.get(listOf("alice"), alice);
      expect(answer.status).toBe(200);
    });
    await until(() => expect(barrier.held()).toBe(heavyRequests));

    barrier.open();
    await patient;
    await Promise.all(running);
    await api.close();
  });

  it("whose reader leaves while they run keep their place until their work is done", async () => {
    const { api, barrier } = await startHeld();
    const alice = api.token("alice");
    const leaving = await fillPlaces(barrier, () => abandon(api, listOf("alice"), alice));

    for (const one of leaving) one.destroy();
    const next = api.get(listOf("alice"), alice);
    await api.get(`/api/${app}/getInfo`, alice);
    expect(barrier.held()).toBe(heavyRequests);

    barrier.open();
    expect((await next).status).toBe(200);
    await api.close();
  });
});

describe("slow readers", { timeout: 30_000 }, () => {
  it("keep their places, so that they cost no more than two, and give them back when they leave", async () => {
    const gate = createHeavyGate();
    const begun: number[] = [];
    async function* endless(): JsonItems {
      for (;;) yield `"${"x".repeat(16 * 1_024)}"`;
    }
    const slow = express().get("/:number", async (incoming, response) => {
      if (!(await gate.enter("alice", response))) return;
      begun.push(Number(incoming.params.number));
      await sendList(response, jsonList(200, { before: "[", items: endless(), after: () => "]" }));
      gate.leave(response);
    });
    const server = createServer(slow).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const open = async (number: number) => {
      const outgoing = request({ host: "127.0.0.1", port, path: `/${number}` }).on("error", () => {});
      outgoing.end();
      const [incoming] = await once(outgoing, "response");
      return (incoming as IncomingMessage).pause().on("error", () => {});
    };

    const readers = [await open(1), await open(2)];
    const waiting = Promise.all([open(3), open(4)]);
    await until(async () => expect(await connectionsOf(server)).toBe(4));
    expect(begun).toEqual([1, 2]);
    readers[0]?.destroy();
    await until(() => expect(begun).toHaveLength(3));
    readers[1]?.destroy();
    await waiting;

    expect(begun.toSorted()).toEqual([1, 2, 3, 4]);
    server.closeAllConnections();
    server.close();
  });
});

const connectionsOf = (server: Server) =>
  new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));

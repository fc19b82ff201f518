import { createMemoryStore } from "@chat21/testkit";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { type ClusterGround, startClusterService } from "../src/index.ts";

type Opened = Pick<ReturnType<typeof createMemoryStore>, "users" | "close">;

interface World {
  /** What happened, in order. */
  readonly seen: string[];
  /** Given to `startClusterService`. */
  readonly options: Parameters<typeof startClusterService<Opened, unknown>>[0];
}

/** A process whose database is in memory; its port is free again when the test ends. */
function createWorld(port = 0, connecting: Promise<unknown> = Promise.resolve()): World {
  const seen: string[] = [];
  const { users } = createMemoryStore();
  return {
    seen,
    options: {
      config: {
        mongoUri: "mongodb://user:hush@memory/x",
        migrate: true,
        host: "127.0.0.1",
        metricsToken: undefined,
        startTimeoutMs: 0,
      },
      database: {
        migrate: async () => void seen.push("migrated"),
        async connect() {
          await connecting;
          seen.push("connected");
          return { users, close: async () => void seen.push("store closed") };
        },
      },
      listener: { port, variable: "METRICS_PORT", otherwise: 503 },
      log: pino({ enabled: false }),
    },
  };
}

async function start({ options }: World): Promise<ClusterGround<Opened>> {
  const ground = await startClusterService(options, async (given) => given);
  onTestFinished(ground.drain.close);
  return ground;
}

async function readiness(url: string): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return `${answer.status} ${((await answer.json()) as { reason: string }).reason}`;
}

const isUp = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  );

it("prepares the database before it opens it, and only where it may", async () => {
  const preparing = createWorld();
  const reading = createWorld();
  await start(preparing);
  await start({
    ...reading,
    options: { ...reading.options, config: { ...reading.options.config, migrate: false } },
  });

  expect(preparing.seen).toEqual(["migrated", "connected"]);
  expect(reading.seen).toEqual(["connected"]);
});

it("is starting until its own parts report their health", async () => {
  const ground = await start(createWorld());

  const before = await readiness(ground.url);
  ground.reportHealth(() => ({ ready: true, reason: "ok" }));

  expect([before, await readiness(ground.url)]).toEqual(["503 starting", "200 ok"]);
});

it("answers on its listener while the database is still to come", async () => {
  const { url: earlier, drain } = await start(createWorld());
  await drain.close();
  let connect = () => {};
  const connecting = new Promise<void>((resolve) => {
    connect = resolve;
  });
  const starting = start(createWorld(Number(new URL(earlier).port), connecting));

  const meanwhile = await readiness(earlier);
  connect();
  const { url } = await starting;

  expect([meanwhile, url]).toEqual(["503 starting", earlier]);
});

it("asks for patience until it serves, and then gives every request to the app", async () => {
  const { url, serve } = await start(createWorld());

  const before = (await fetch(`${url}/api`)).status;
  serve((_request, response) => response.writeHead(200).end("app"));

  expect([before, await (await fetch(`${url}/api`)).text()]).toEqual([503, "app"]);
});

it("stops its own parts, then the store, and tells of it to the end", async () => {
  const world = createWorld();
  const { url, drain, reportHealth } = await start(world);
  reportHealth(() => ({ ready: true, reason: "ok" }));
  drain.add("the engine", 0.1, async () => void world.seen.push(await readiness(url)));

  await drain.close();

  expect(world.seen).toEqual(["migrated", "connected", "503 shutting_down", "store closed"]);
  expect(await isUp(url)).toBe(false);
});

it("takes no more requests before the parts stop that answer them", async () => {
  const world = createWorld();
  const { url, drain, serve } = await start(world);
  drain.add("the engine", 0.1, async () => void world.seen.push(`engine stops, up: ${await isUp(url)}`));
  serve((_request, response) => response.end());

  await drain.close();

  expect(world.seen.slice(2)).toEqual(["engine stops, up: false", "store closed"]);
});

it("lets go of everything when one of its own parts does not start", async () => {
  const world = createWorld();
  let url = "";

  const starting = startClusterService(world.options, async (ground) => {
    url = ground.url;
    ground.drain.add("the edge", 0.1, () => void world.seen.push("edge closed"));
    throw new Error("no broker");
  });

  await expect(starting).rejects.toThrow("no broker");
  expect(world.seen.slice(2)).toEqual(["edge closed", "store closed"]);
  expect(await isUp(url)).toBe(false);
});

it("ends with one line that shows no password where the database cannot be opened", async () => {
  const world = createWorld(0, Promise.reject(new Error("refused")));

  await expect(start(world)).rejects.toThrow(
    /^MongoDB at memory: no connection: refused; check MONGODB_URI$/,
  );
});

it("names the variable of a port that is in use", async () => {
  const { url } = await start(createWorld());

  await expect(start(createWorld(Number(new URL(url).port)))).rejects.toThrow(/with METRICS_PORT$/);
});

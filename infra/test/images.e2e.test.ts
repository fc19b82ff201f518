import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compatToken, OldClient } from "@chat21/testkit";
import { type RequiredMongo, requireMongo } from "@chat21/testkit/services";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { documentedSnippets } from "../../apps/server/test/documented-snippets.ts";
import { freePorts } from "../local/free-port.ts";
import { runCommand } from "../local/run-command.ts";
import { findBase } from "./containers/base-images.ts";
import { containerOf, renderChart, variablesOf } from "./containers/chart.ts";
import { composeFiles, neighbours, readCompose, type Service } from "./containers/compose.ts";
import { type Container, copyFiles, startContainer } from "./containers/container.ts";
import { type Image, readImage } from "./containers/dockerfile.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const secret = "0123456789abcdefghijklmnopqrstuv";
const given = {
  CHAT21_JWT_SECRET: secret,
  RABBITMQ_PASSWORD: "rabbitPassword",
  MONGO_PASSWORD: "mongoPassword",
  MONGO_ROOT_PASSWORD: "rootPassword",
  MONGO_REPLICA_KEY: "replicaKey",
};
/** Everything, and what there is by default. */
const services = readCompose(composeFiles.plugin, given);
const nodeServices = readCompose(composeFiles.nodes, given);
/** Ports of each service that others use. */
const served: Readonly<Record<string, readonly number[]>> = {
  rabbitmq: [5_672, 15_672, 1_883, 15_675],
  "http-api": [8_010],
  node: [8_010, 1_883],
  web: [8_080],
};
const nodeApps = ["node", "observer", "http-api", "webhooks"] as const;
/** The services behind the container `web`, for each of the two ways to start compose. */
const compositions = [
  ["nodes", nodeServices],
  ["RabbitMQ's plugin and the API", services],
] as const;

let folder: string;
let mongo: RequiredMongo;
/** The database, as a file that leads to its port. */
let mongoPath: string;
const closers: (() => unknown)[] = [];
const running = new Map<string, Container>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat21-images-"));
  mongo = await requireMongo({ isOwn: true });
  const client = await MongoClient.connect(mongo.uri);
  await client.db("chat21").command({
    createUser: "chat21",
    pwd: "mongoPassword",
    roles: [{ role: "readWrite", db: "chat21" }],
  });
  await client.close();
  mongoPath = join(folder, "mongodb.socket");
  await forward(mongoPath, () => connect(mongoPort(), "127.0.0.1"));
});

afterAll(async () => {
  for (const container of [...running.values()].reverse()) await container.kill();
  for (const close of closers.reverse()) close();
  await mongo?.stop();
  await rm(folder, { recursive: true, force: true });
});

const mongoPort = () => Number(new URL(mongo.uri).port);

/** Joins a new listener with what `open` connects to. */
async function forward(at: string | number, open: () => ReturnType<typeof connect>): Promise<void> {
  const server = createServer((socket) => {
    const other = open();
    for (const one of [socket, other])
      one.on("error", () => {}).on("close", () => [socket, other].map((any) => any.destroy()));
    socket.pipe(other).pipe(socket);
  });
  closers.push(() => server.close());
  await new Promise<void>((resolve) => {
    if (typeof at === "string") server.listen(at, resolve);
    else server.listen(at, "127.0.0.1", resolve);
  });
}

/** Runs the image's own command that puts the app and its packages into a folder. */
async function deployApp(app: string, image: Image): Promise<string> {
  const target = join(folder, `deployed-${app}`);
  const command =
    image.buildCommands.find((one) => one.startsWith("pnpm ") && one.includes(" deploy ")) ?? "";
  const pnpm = image.buildCommands.find((one) => one.includes("pnpm@"))?.match(/pnpm@[\d.]+/)?.[0] ?? "";
  const args = command
    .replaceAll('"', "")
    .replace(/ --store-dir \S+/, "")
    .split(/\s+/)
    .slice(1);
  expect(args.at(-1)).toBe("/app");
  await runCommand("npx", ["-y", pnpm, "--dir", root, ...args.slice(0, -1), target], { timeoutMs: 300_000 });
  return target;
}

/** What a container gets besides its image. */
interface Setting {
  readonly environment: Readonly<Record<string, string>>;
  readonly isReadOnly: boolean;
  readonly writable: readonly string[];
  readonly hosts: readonly string[];
  readonly binds?: readonly (readonly [string, string])[];
}

async function start(name: string, service: string, image: Image, setting: Setting): Promise<Container> {
  const own = join(folder, name);
  const base = await findBase(image.base, join(own, "base"));
  const files = await copyFiles(image, join(own, "files"), (path) => {
    if (path === "/app") return join(folder, `deployed-${service}`);
    if (path.startsWith("/src/")) return join(root, path.slice("/src/".length));
    throw new Error(`no stage makes ${path}`);
  });
  const told = Object.values(setting.environment).join(" ");
  const outgoing = setting.hosts.flatMap((host) => {
    // A replica set names its members itself, so its own port leads to it as well.
    if (host === "mongodb") return [27_017, mongoPort()].map((port) => ({ port, path: mongoPath }));
    const container = running.get(host);
    if (container === undefined) return [];
    // All hosts are one address here, so only what the container is told of leads to another one.
    const used = (served[host] ?? []).filter((port) => told.includes(`${host}:${port}`));
    return used.map((port) => ({ port, path: container.portPath(port) }));
  });
  const container = await startContainer({
    ...{ name, folder: own, base, image, files, outgoing, ...setting },
    ports: [...new Set([...image.ports, ...(served[service] ?? [])])],
  });
  running.set(name, container);
  return container;
}

const asInCompose = (name: string, all = services): Setting => {
  const service = all[name] as Service;
  return {
    environment: service.environment ?? {},
    isReadOnly: service.read_only === true,
    writable: [
      ...(service.tmpfs ?? []).map((mount) => mount.split(":")[0] ?? ""),
      ...(service.volumes ?? [])
        .filter((volume) => /^\w/.test(volume))
        .map((volume) => volume.split(":")[1] ?? ""),
    ],
    hosts: neighbours(all, name),
  };
};

const imageOf = (name: string): Image => {
  const { build, command } = services[name] ?? {};
  const image = readImage((build?.dockerfile ?? "").replace("infra/docker/", ""), build?.args);
  return command === undefined ? image : { ...image, command };
};

/** Waits until the container's own health check succeeds; fails with what it printed when its command ends before. */
async function isHealthy(name: string): Promise<void> {
  const container = running.get(name) as Container;
  await expect.poll(container.health, { timeout: 60_000, interval: 500 }).toMatch(/^healthy$|ended/);
  expect(`${await container.health()} ${name}`, (await container.log()).slice(-3_000)).toBe(
    `healthy ${name}`,
  );
}

// An image is unpacked, and its entrypoint runs in namespaces of its own, which needs no container engine. The programs
// of the base images come from Debian; the images' build steps before the last stage are not run.
describe("the images of compose", () => {
  it("RabbitMQ starts with the keys of the environment, and takes our queues", async () => {
    await start("rabbitmq", "rabbitmq", imageOf("rabbitmq"), asInCompose("rabbitmq"));
    await isHealthy("rabbitmq");

    const init = services["rabbitmq-init"] as Service;
    const image = { ...readImage("node.Dockerfile"), entrypoint: init.entrypoint ?? [], directory: "/" };
    const own = join(folder, "rabbitmq-init");
    const files = new Map(
      (init.volumes ?? []).map((volume) => {
        const [from = "", to = ""] = volume.split(":");
        return [to, join(root, "infra/compose", from)];
      }),
    );
    const outgoing = [15_672].map((port) => ({ port, path: running.get("rabbitmq")?.portPath(port) ?? "" }));
    const container = await startContainer({
      ...{ name: "rabbitmq-init", folder: own, image, files, outgoing, ports: [] },
      ...{ base: await findBase(image.base, own), ...asInCompose("rabbitmq-init") },
    });
    onTestFinished(container.kill);

    await expect.poll(container.health, { timeout: 30_000 }).toBe("the command ended with 0");
  }, 300_000);

  it.each(nodeApps)(
    "%s starts and is healthy where it can write nothing",
    async (name) => {
      await deployApp(name, imageOf(name));
      const container = await start(name, name, imageOf(name), asInCompose(name));

      await isHealthy(name);
      expect(services[name]?.read_only).toBe(true);
      await expect.poll(container.log).toContain('"msg":"ready"');
    },
    300_000,
  );

  it.each(compositions)(
    "web serves the page, and REST and MQTT of %s",
    async (_what, all) => {
      const name = all === nodeServices ? "web" : "web-plugin";
      await start(name, "web", imageOf("web"), asInCompose("web", all));
      await isHealthy(name);
      const [port = 0] = await freePorts(1);
      const web = running.get(name) as Container;
      await forward(port, () => connect(web.portPath(8_080)));
      const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);

      const page = await get("/");
      expect(page.status).toBe(200);
      expect(await page.text()).toContain("<!doctype html>");
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect((await get("/api/v1/tilechat/groups")).headers.get("content-type")).toMatch(/problem\+json/);
      expect((await get("/.well-known/jwks.json")).status).toBe(200);
      expect(await (await get("/verify")).text()).not.toContain("nginx");

      const token = compatToken("alice", { secret });
      for (const path of ["/ws", "/mqtt", "/mqws/ws"]) {
        const client = await OldClient.connect({
          url: `ws://127.0.0.1:${port}${path}`,
          ...{ app: "tilechat", user: "alice", token },
        });
        client.end();
      }

      const stop = new AbortController();
      const stream = await fetch(`http://127.0.0.1:${port}/sse`, { signal: stop.signal });
      expect(stream.status).toBe(all === nodeServices ? 200 : 404);
      stop.abort();
    },
    120_000,
  );

  it.each(nodeApps)("%s ends with 0 when it is stopped", async (name) => {
    const container = running.get(name) as Container;

    expect(await container.stop()).toBe(0);
  });
});

describe("the images with what the Helm chart gives them", () => {
  it.each(nodeApps)(
    "%s answers its probes",
    async (name) => {
      const manifests = await renderChart("topology=both");
      const given = containerOf(manifests, name);
      const port = given.ports.find((one) => one.name === "http")?.containerPort ?? 0;
      const image = imageOf(name);
      const container = await start(
        `helm-${name}`,
        name,
        { ...image, command: given.args ?? image.command },
        {
          environment: variablesOf(manifests, given, {
            "rabbitmq-uri": "amqp://chat21:rabbitPassword@rabbitmq:5672",
            "rabbitmq-management-uri": "http://chat21:rabbitPassword@rabbitmq:15672",
            "mongodb-uri": services["observer"]?.environment?.["MONGODB_URI"] ?? "",
            "jwt-secret": secret,
          }),
          isReadOnly: given.securityContext.readOnlyRootFilesystem,
          ...{ writable: [], hosts: ["rabbitmq", "mongodb"] },
        },
      );
      const [free = 0] = await freePorts(1);
      await forward(free, () => connect(container.portPath(port)));

      for (const path of ["/healthz", "/readyz"]) {
        const answer = async () =>
          (await fetch(`http://127.0.0.1:${free}${path}`).catch(() => undefined))?.status;
        await expect.poll(answer, { timeout: 60_000 }).toBe(200);
      }
      await container.stop();
    },
    120_000,
  );
});

describe("the server's image", () => {
  it("runs as the page shows it, and keeps its data in the folder of the host", async () => {
    const block = documentedSnippets("sh").find((text) => text.includes("docker build")) ?? "";
    const [build = [], , run = [], exec = []] = block
      .replaceAll("\\\n", " ")
      .trim()
      .split("\n")
      .map((line) => line.replaceAll('"', "").split(/\s+/));
    const valuesOf = (words: readonly string[], option: string) =>
      words.flatMap((word, at) => (words[at - 1] === option ? [word] : []));
    const pairs = (texts: readonly string[]) =>
      Object.fromEntries(texts.map((pair) => pair.split("=") as [string, string]));
    const args = pairs(valuesOf(build, "--build-arg"));
    const image = readImage(valuesOf(build, "--file")[0]?.replace("infra/docker/", "") ?? "", args);
    const [tag = ""] = valuesOf(build, "--tag");
    const [volume = ""] = valuesOf(run, "--volume");
    const published = valuesOf(run, "--publish").map((pair) => Number(pair.split(":")[1]));
    const data = join(folder, "chat21-data");
    await mkdir(data);
    await deployApp(args["APP"] ?? "", image);

    const container = await start(
      "chat21",
      args["APP"] ?? "",
      { ...image, ports: [...image.ports, ...published], command: run.slice(run.indexOf(tag) + 1) },
      {
        environment: pairs(valuesOf(run, "--env")),
        ...{ isReadOnly: run.includes("--read-only"), writable: [], hosts: [] },
        binds: [[data, volume.split(":")[1] ?? ""]],
      },
    );
    await isHealthy("chat21");
    const { code, output } = await container.run(exec.slice(3));
    expect(code).toBe(0);
    const token = /^eyJ\S+$/m.exec(output)?.[0] ?? "";
    const [http = 0, mqtt = 0] = await freePorts(2);
    await forward(http, () => connect(container.portPath(8_010)));
    await forward(mqtt, () => connect(container.portPath(1_883)));

    expect((await fetch(`http://127.0.0.1:${http}/`)).status).toBe(200);
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    const alice = await OldClient.connect({
      ...{ url: `mqtt://127.0.0.1:${mqtt}`, user: "alice", clientId: claims.client_id, token },
    });
    await alice.send("alice", { text: "kept" }, 1);
    alice.end();
    expect(await container.stop()).toBe(0);
    expect(existsSync(join(data, "chat21.db"))).toBe(true);
  }, 300_000);
});

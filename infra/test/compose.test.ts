import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { clusterVariables } from "../../packages/runtime/src/cluster-settings.ts";
import { composeFiles, mergeCompose, readComposeFile } from "./containers/compose.ts";

interface Service {
  readonly build?: { readonly dockerfile: string };
  readonly image: string;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly restart: string;
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly deploy: {
    readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } };
  };
}

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const text = composeFiles.plugin.map(readComposeFile).join("\n");

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const nodes = mergeCompose(composeFiles.nodes) as unknown as Compose;
const compose = mergeCompose(composeFiles.plugin) as unknown as Compose;
const services = Object.entries(compose.services);
const example = read("compose/.env.example").split("\n");

const publishedOf = (services: Compose["services"]) =>
  Object.entries(services).flatMap(([name, { ports = [] }]) =>
    ports.map((port) => `${name}:${port.split(":").at(-1)}`),
  );

test("two nodes are the default, and nothing of RabbitMQ can be reached from outside", () => {
  expect(Object.keys(nodes.services)).toEqual(["rabbitmq", "mongodb", "mongodb-init", "node", "web"]);
  expect(nodes.services["node"]).toMatchObject({ command: ["node"], deploy: { replicas: 2 } });
  expect(publishedOf(nodes.services).sort()).toEqual(["node:1883", "web:8080"]);
  expect(nodes.services["rabbitmq"]?.networks).toEqual(["back"]);
});

test("only web, MQTT and Web-MQTT are published: neither AMQP nor management, metrics or the database", () => {
  expect(publishedOf(compose.services).sort()).toEqual(
    ["node:1883", "rabbitmq:1883", "rabbitmq:15675", "web:8080"].sort(),
  );
});

test("the web server can reach nodes and the API, but neither the database nor our other processes", () => {
  const isInternal = (network: string) => compose.networks[network]?.internal === true;

  expect(compose.services["web"]?.networks).toEqual(["edge", "api"]);
  expect(compose.services["mongodb"]?.networks.every(isInternal)).toBe(true);
  const members = (network: string) =>
    services.filter(([, { networks }]) => networks.includes(network)).map(([name]) => name);
  expect(members("edge")).toEqual(["rabbitmq", "node", "web"]);
  expect(members("api")).toEqual(["node", "web", "http-api"]);
});

test("every secret is required, and none has a value in the example", () => {
  const asked = [...new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name))].sort();
  const given = example.filter((line) => /^\w+=/.test(line)).map((line) => line.split("="));

  expect(asked).toEqual([
    "CHAT21_JWT_SECRET",
    "MONGO_PASSWORD",
    "MONGO_REPLICA_KEY",
    "MONGO_ROOT_PASSWORD",
    "RABBITMQ_PASSWORD",
  ]);
  expect(given.map(([name]) => name)).toEqual(expect.arrayContaining(asked));
  expect(given.filter(([, value]) => value !== "")).toEqual([]);
});

test("every variable is in the example, with its default", () => {
  for (const [, name = "", operator, fallback = ""] of text.matchAll(/\$\{(\w+)(:[?-])([^}]*)\}/g)) {
    const line = example.find((candidate) => candidate.replace(/^#/, "").startsWith(`${name}=`));
    expect(line, name).toBeDefined();
    if (operator === ":-") expect(line?.split("=")[1], name).toBe(fallback);
  }
});

test.each(services)("%s is restarted, has limits, and waits for the services it needs", (name, service) => {
  expect(service.restart).toMatch(/unless-stopped|on-failure/);
  expect(Number(service.deploy.resources.limits.cpus)).toBeGreaterThan(0);
  expect(service.deploy.resources.limits.memory).toMatch(/^\d+[MG]$/);
  expect(service.image).not.toMatch(/:latest$|^[^:]+$/);
  for (const network of service.networks) expect(compose.networks, network).toHaveProperty(network);
  for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
    expect(compose.services, needed).toHaveProperty(needed);
    expect(condition).toBe(needed.endsWith("-init") ? "service_completed_successfully" : "service_healthy");
  }
  // These containers end after their work.
  if (name.endsWith("-init")) return;
  const dockerfile = service.build === undefined ? "" : read(`../${service.build.dockerfile}`);
  expect(service.healthcheck !== undefined || dockerfile.includes("\nHEALTHCHECK ")).toBe(true);
});

test.each(["node", "observer", "http-api", "webhooks"])(
  "%s is given variables that our processes know",
  (name) => {
    const known = (variable: string) =>
      variable.startsWith("WEBHOOK_") || clusterVariables.includes(variable);

    expect(
      Object.keys(compose.services[name]?.environment ?? {}).filter((variable) => !known(variable)),
    ).toEqual([]);
  },
);

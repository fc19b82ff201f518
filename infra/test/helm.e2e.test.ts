import { beforeAll, expect, test } from "vitest";
import { clusterVariables } from "../../packages/runtime/src/cluster-settings.ts";
import {
  chartFolder,
  containerOf,
  helm,
  type Manifest,
  renderChart,
  variablesOf,
} from "./containers/chart.ts";

const processes = ["node", "observer", "http-api", "webhooks"] as const;
const secret = {
  "rabbitmq-uri": "amqp://rabbitmq",
  "mongodb-uri": "mongodb://mongodb",
  "jwt-secret": "0123456789abcdefghijklmnopqrstuv",
};
const rabbitLabels = "networkPolicy.rabbitmq.podLabels.app=rabbitmq";
let both: readonly Manifest[];

beforeAll(async () => {
  both = await renderChart("topology=both", rabbitLabels);
});

const names = (manifests: readonly Manifest[], wanted: string) =>
  manifests
    .filter(({ kind }) => kind === wanted)
    .map(({ metadata }) => metadata.name.replace("r-chat21-", ""));

test.each([
  ["the default values", []],
  [
    "fixed replicas and a load balancer",
    ["node.autoscaling.enabled=false", "node.mqttServiceType=LoadBalancer"],
  ],
  ["the plugin, scaled", ["topology=plugin", "observer.autoscaling.enabled=true"]],
  ["an ingress with TLS", ["ingress.enabled=true", "ingress.host=chat.example.com", "ingress.tlsSecret=t"]],
  ["no network policy", ["networkPolicy.enabled=false", "podDisruptionBudget.enabled=false"]],
  [
    "an identity provider",
    ["identityProvider.issuer=https://id.example.com/", "identityProvider.audiences={chat,web}"],
  ],
])("helm lint finds nothing in %s", async (_what, settings) => {
  const output = await helm(
    ...["lint", chartFolder, "--strict", "--set", ["existingSecret=s", ...settings].join(",")],
  );

  expect(output).toContain("0 chart(s) failed");
});

test("an unknown value and a missing Secret are refused with a line that says so", async () => {
  await expect(renderChart("nod.replicas=2")).rejects.toThrow(/property nod /i);
  await expect(helm("template", "r", chartFolder)).rejects.toThrow(/existingSecret/);
});

test("nodes are the default, and the processes behind the plugin are there only where it serves clients", async () => {
  expect(names(await renderChart(), "Deployment").sort()).toEqual(["node", "web"]);
  expect(names(both, "Deployment").sort()).toEqual([...processes, "web"].sort());
  expect(names(await renderChart("topology=plugin"), "Deployment")).not.toContain("node");
  expect(containerOf(both, "node").args).toEqual(["node"]);
});

test.each(processes)("%s is given only variables that it knows, and each of its secrets", (app) => {
  const container = containerOf(both, app);
  const known = Object.keys(variablesOf(both, container, secret)).filter(
    (name) => !name.startsWith("WEBHOOK_"),
  );

  expect(known.length).toBeGreaterThan(5);
  expect(known.filter((name) => !clusterVariables.includes(name))).toEqual([]);
  expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
});

test("the values of an identity provider reach the processes", async () => {
  const manifests = await renderChart(
    "identityProvider.issuer=https://id.example.com/",
    "identityProvider.audiences={chat,web}",
    "identityProvider.app=tilechat",
  );

  expect(variablesOf(manifests, containerOf(manifests, "node"), secret)).toMatchObject({
    CHAT21_OIDC_ISSUER: "https://id.example.com/",
    CHAT21_OIDC_AUDIENCE: "chat,web",
    CHAT21_OIDC_APP: "tilechat",
  });
});

test("RabbitMQ's AMQP and management ports are for our own processes alone, and its MQTT ports for clients of the plugin", async () => {
  const rules = (manifests: readonly Manifest[]) =>
    manifests.find(({ metadata }) => metadata.name === "r-chat21-rabbitmq")?.spec.ingress as {
      readonly from?: readonly unknown[];
      readonly ports?: readonly { readonly port: number }[];
    }[];
  const portsOf = (rule: { readonly ports?: readonly { readonly port: number }[] } | undefined) =>
    rule?.ports?.map(({ port }) => port) ?? [];
  const withAmqp = rules(both).filter((rule) => portsOf(rule).includes(5672));

  expect(withAmqp).toHaveLength(1);
  expect(JSON.stringify(withAmqp[0]?.from)).toContain('"values":["node","observer","http-api"]');
  // A rule without `from` is open to everybody.
  const open = rules(both).filter((rule) => rule.from === undefined);
  expect(open.map(portsOf)).toEqual([[1883, 8883, 15675, 15676]]);
  // Where everybody is on nodes, RabbitMQ's own MQTT is closed.
  const onNodes = rules(await renderChart(rabbitLabels));
  expect(onNodes.filter((rule) => rule.from === undefined)).toEqual([]);
});

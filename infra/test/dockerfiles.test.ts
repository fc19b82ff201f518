import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const folder = new URL("infra/docker/", root);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".Dockerfile"))
  .map((name) => [name, readFileSync(new URL(name, folder), "utf8").replaceAll("\\\n", " ")] as const);

const instructions = (text: string, name: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1).trim());

test("there is one for Node's processes, the web server and the broker", () => {
  expect(files.map(([name]) => name)).toEqual(["node.Dockerfile", "rabbitmq.Dockerfile", "web.Dockerfile"]);
});

test.each(files)("%s runs as a user other than root, and has a health check", (_name, text) => {
  const last = text.slice(text.lastIndexOf("\nFROM "));

  expect(instructions(last, "USER").at(-1)).not.toMatch(/^(|root|0)(:|$)/);
  expect(instructions(last, "USER")).toHaveLength(1);
  expect(instructions(last, "HEALTHCHECK")).toHaveLength(1);
});

test.each(files)("%s pins its base images, and downloads nothing but packages", (_name, text) => {
  const images = [
    ...instructions(text, "FROM"),
    ...instructions(text, "ARG").flatMap((arg) => arg.match(/_IMAGE=(.*)/)?.[1] ?? []),
  ];
  for (const image of images) {
    if (!image.startsWith("$")) expect(image).toMatch(/^[a-z0-9./-]+:\d+[a-z0-9.-]*( AS \w+)?$/);
  }
  expect(instructions(text, "ADD")).toEqual([]);
  expect(text).not.toMatch(/curl|wget http/);
});

test.each(files)("%s copies only files that exist", (_name, text) => {
  const sources = instructions(text, "COPY")
    .filter((line) => !line.startsWith("--from"))
    .flatMap((line) =>
      line
        .split(/\s+/)
        .filter((word) => !word.startsWith("--"))
        .slice(0, -1),
    );

  expect(sources.filter((source) => !existsSync(new URL(source, root)))).toEqual([]);
});

test.each(files)("%s offers no port that only our own processes may use", (_name, text) => {
  expect(instructions(text, "EXPOSE").join(" ")).not.toMatch(/\b(5672|15672|15692|27017)\b/);
});

test("the web image knows every variable of its template, and lets it through", () => {
  const image = files.find(([name]) => name === "web.Dockerfile")?.[1] ?? "";
  const template = readFileSync(new URL("infra/nginx/chat21.conf.template", root), "utf8");
  const variables = [...template.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const settings = new Map(
    instructions(image, "ENV").flatMap((line) =>
      line.split(/\s+/).map((pair) => [pair.split("=")[0] ?? "", pair.slice(pair.indexOf("=") + 1)] as const),
    ),
  );
  const filter = new RegExp(settings.get("NGINX_ENVSUBST_FILTER") ?? "$^");

  expect(variables).toContain("NGINX_LOCAL_RESOLVERS");
  expect(variables.filter((name) => !filter.test(name))).toEqual([]);
  // The image's own script sets the name servers, if it is asked to.
  const given = variables.filter((name) => name !== "NGINX_LOCAL_RESOLVERS");
  expect(given.filter((name) => !settings.has(name))).toEqual([]);
  expect(settings.get("NGINX_ENTRYPOINT_LOCAL_RESOLVERS")).toBe("1");
});

test("each of Node's processes has a command to start", () => {
  for (const [app, command] of [
    ["server", "chat21"],
    ["observer", "chat21-observer"],
    ["http-api", "chat21-http-api"],
    ["webhooks", "chat21-webhooks"],
  ]) {
    const manifest = JSON.parse(readFileSync(new URL(`apps/${app}/package.json`, root), "utf8"));
    expect(manifest).toMatchObject({
      name: `@chat21/${app}`,
      bin: { [command ?? ""]: "./dist/cli.js" },
      files: ["dist"],
    });
  }
});

import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** One service, with the variables filled in. */
export interface Service {
  readonly build?: { readonly dockerfile: string; readonly args?: Readonly<Record<string, string>> };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
}

/** Files of `infra/compose` that are given to compose together. */
export const composeFiles = {
  nodes: ["docker-compose.yml"],
  plugin: ["docker-compose.yml", "docker-compose.plugin.yml"],
} as const;

/** The text of a file of `infra/compose`. */
export function readComposeFile(name: string): string {
  return readFileSync(new URL(`../../compose/${name}`, import.meta.url), "utf8");
}

/** Merges the files as compose does: mappings are joined, and lists are put one behind the other. */
export function mergeCompose(files: readonly string[]): Record<string, unknown> {
  return files.map((file) => parse(readComposeFile(file), { merge: true })).reduce(merged);
}

function merged(one: unknown, other: unknown): unknown {
  if (Array.isArray(one) && Array.isArray(other)) return [...one, ...other];
  if (!isMapping(one) || !isMapping(other)) return other;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      name in one && name in other ? merged(one[name], other[name]) : (other[name] ?? one[name]),
    ]),
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads the services with these values of `.env`. Throws where a value is needed and not given. */
export function readCompose(
  files: readonly string[],
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, Service>> {
  const fill = (value: string) =>
    value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name: string, kind, fallback) => {
      if (given[name] === undefined && kind === "?") throw new Error(`${name} is needed`);
      return given[name] ?? (kind === "-" ? fallback : "");
    });
  return JSON.parse(JSON.stringify(mergeCompose(files)["services"]), (_key, value) =>
    typeof value === "string" ? fill(value) : value,
  );
}

/** Returns the other services that share a network with it. */
export function neighbours(services: Readonly<Record<string, Service>>, name: string): readonly string[] {
  const own = services[name]?.networks ?? [];
  return Object.keys(services).filter(
    (other) => other !== name && services[other]?.networks.some((network) => own.includes(network)),
  );
}

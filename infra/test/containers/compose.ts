import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** One service of `docker-compose.yml`, with the variables filled in. */
export interface Service {
  readonly build?: { readonly dockerfile: string; readonly args?: Readonly<Record<string, string>> };
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
}

/** Reads the services with these values of `.env`. Throws where a value is needed and not given. */
export function readCompose(given: Readonly<Record<string, string>>): Readonly<Record<string, Service>> {
  const text = readFileSync(new URL("../../compose/docker-compose.yml", import.meta.url), "utf8");
  const fill = (value: string) =>
    value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name: string, kind, fallback) => {
      if (given[name] === undefined && kind === "?") throw new Error(`${name} is needed`);
      return given[name] ?? (kind === "-" ? fallback : "");
    });
  const { services } = parse(text, { merge: true });
  return JSON.parse(JSON.stringify(services), (_key, value) =>
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

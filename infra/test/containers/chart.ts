import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { findHelm } from "../../local/find-helm.ts";
import { runCommand } from "../../local/run-command.ts";

/** The folder of the chart. */
export const chartFolder = fileURLToPath(new URL("../../helm/chat21", import.meta.url));

/** What Kubernetes would be given: one document of the rendered chart. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own shape, and a test reads the few fields it is about.
  readonly spec?: any;
}

interface Container {
  readonly args?: readonly string[];
  readonly env: readonly Variable[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef: { readonly name: string; readonly key: string; readonly optional: boolean };
  };
}

/** Runs `helm` with these arguments. Resolves with what it prints. Rejects with its error. */
export async function helm(...args: readonly string[]): Promise<string> {
  const path = await findHelm((line) => console.log(line));
  return runCommand(path, args);
}

/** Renders the chart as release `r`, with `existingSecret` and these settings, in the form of `--set`. */
export async function renderChart(...settings: readonly string[]): Promise<readonly Manifest[]> {
  const text = await helm("template", "r", chartFolder, "--set", ["existingSecret=s", ...settings].join(","));
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** The only container of a process's Deployment. */
export function containerOf(manifests: readonly Manifest[], app: string): Container {
  const deployment = manifests.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === `r-chat21-${app}`,
  );
  const containers: readonly Container[] = deployment?.spec.template.spec.containers ?? [];
  const [container] = containers;
  if (container === undefined || containers.length > 1)
    throw new Error(`${app} has ${containers.length} containers`);
  return container;
}

/** The variables that a container gets with these keys of its Secret, as Kubernetes puts them together. */
export function variablesOf(
  manifests: readonly Manifest[],
  { env, envFrom }: Container,
  secret: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const shared = envFrom.flatMap(({ configMapRef }) => {
    const map = manifests.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMapRef.name,
    );
    if (map === undefined) throw new Error(`there is no ConfigMap ${configMapRef.name}`);
    return Object.entries(map.data ?? {});
  });
  const own = env.flatMap(({ name, value, valueFrom }) => {
    if (valueFrom === undefined) return [[name, value ?? ""]];
    const { key, optional } = valueFrom.secretKeyRef;
    const text = secret[key];
    if (text === undefined && !optional) throw new Error(`the Secret needs ${key}`);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries([...shared, ...own]);
}

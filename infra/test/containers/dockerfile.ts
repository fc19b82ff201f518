import { readFileSync } from "node:fs";

/** What the last stage of a Dockerfile says, with the variables of the build filled in. */
export interface Image {
  readonly base: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly copies: readonly Copy[];
  readonly user: string;
  readonly directory: string;
  /** `null`: those of the base image. */
  readonly entrypoint: readonly string[] | null;
  readonly command: readonly string[] | null;
  readonly healthcheck: readonly string[];
  readonly ports: readonly number[];
  /** The commands of the stages before, one for each part between `&&`. */
  readonly buildCommands: readonly string[];
}

/** One `COPY`. */
interface Copy {
  /** Whether the files come from a stage before, and not from the repository. */
  readonly isBuilt: boolean;
  readonly sources: readonly string[];
  readonly target: string;
  /** Octal; `null` keeps that of the source. */
  readonly mode: number | null;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Reads a Dockerfile of `infra/docker`. */
export function readImage(name: string, args: Readonly<Record<string, string>> = {}): Image {
  const text = readFileSync(new URL(`../../docker/${name}`, import.meta.url), "utf8");
  const instructions = text
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => ({ name: line.slice(0, line.indexOf(" ")), text: line.slice(line.indexOf(" ")).trim() }));
  const last = instructions.findLastIndex((one) => one.name === "FROM");
  return readStage(instructions.slice(0, last), instructions.slice(last), args);
}

function readStage(
  before: readonly Instruction[],
  stage: readonly Instruction[],
  given: Readonly<Record<string, string>>,
): Image {
  const environment: Record<string, string> = {};
  const variables: Record<string, string> = {};
  const fill = (text: string) => text.replace(/\$\{(\w+)\}/g, (_all, name: string) => variables[name] ?? "");
  const declare = (text: string) => {
    const [name = "", fallback = ""] = text.split("=", 2);
    variables[name] = given[name] ?? fill(fallback);
  };
  // What stands before the first stage counts in each FROM.
  const first = before.findIndex(({ name }) => name === "FROM");
  for (const { name, text } of before.slice(0, Math.max(first, 0))) if (name === "ARG") declare(text);
  let [base, user, directory] = ["", "", "/"];
  let entrypoint: readonly string[] | null = null;
  let command: readonly string[] | null = null;
  let healthcheck: readonly string[] = [];
  const copies: Copy[] = [];
  const ports: number[] = [];
  for (const { name, text } of stage) {
    if (name === "FROM") base = fill(text);
    else if (name === "ARG") declare(text);
    else if (name === "ENV") {
      for (const pair of fill(text).split(/\s+/)) {
        const [key = ""] = pair.split("=", 1);
        environment[key] = pair.slice(key.length + 1);
        variables[key] = environment[key];
      }
    } else if (name === "COPY") copies.push(readCopy(fill(text)));
    else if (name === "USER") user = fill(text);
    else if (name === "WORKDIR") directory = fill(text);
    else if (name === "EXPOSE") ports.push(...fill(text).split(/\s+/).map(Number));
    else if (name === "ENTRYPOINT") entrypoint = JSON.parse(text);
    else if (name === "CMD") command = JSON.parse(text);
    // A text in the exec form: `${…}` in it is not Docker's, it belongs to the command.
    else if (name === "HEALTHCHECK") healthcheck = JSON.parse(text.slice(text.indexOf("CMD") + 3));
    else if (!["LABEL", "STOPSIGNAL"].includes(name)) throw new Error(`${name} is not understood here`);
  }
  return {
    ...{ base, environment, copies, user, directory, entrypoint, command, healthcheck, ports },
    buildCommands: readCommands(before, given),
  };
}

/** A variable that the build does not know belongs to the command's shell. */
function readCommands(
  before: readonly Instruction[],
  given: Readonly<Record<string, string>>,
): readonly string[] {
  const known = before.filter(({ name }) => name === "ARG").map(({ text }) => text.split("=")[0] ?? "");
  const fill = (text: string) =>
    text.replace(/\$\{(\w+)\}/g, (all, name: string) => (known.includes(name) ? (given[name] ?? "") : all));
  return before
    .filter(({ name }) => name === "RUN")
    .flatMap(({ text }) => fill(text).split("&&"))
    .map((part) => part.replace(/--mount=\S+/g, "").trim());
}

function readCopy(text: string): Copy {
  const words = text.split(/\s+/);
  const paths = words.filter((word) => !word.startsWith("--"));
  const mode = words.find((word) => word.startsWith("--chmod="))?.slice("--chmod=".length);
  return {
    isBuilt: words.some((word) => word.startsWith("--from=")),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? "",
    mode: mode === undefined ? null : Number.parseInt(mode, 8),
  };
}

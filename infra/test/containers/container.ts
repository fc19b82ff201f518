import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { findDebianProgram } from "../../local/debian-program.ts";
import { runCommand } from "../../local/run-command.ts";
import type { Base } from "./base-images.ts";
import type { Image } from "./dockerfile.ts";
import type { Orders, Ran } from "./inside.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The files of an image: a folder on this machine for each path inside. */
type Files = ReadonlyMap<string, string>;

/**
 * Does the image's `COPY` instructions. `built` gives the folder of each absolute path of the stage before. Throws where
 * a source is missing.
 */
export async function copyFiles(
  image: Pick<Image, "copies">,
  folder: string,
  built: (path: string) => string,
): Promise<Files> {
  const files = new Map<string, string>();
  for (const { isBuilt, sources, target, mode } of image.copies) {
    for (const source of sources) {
      const from = isBuilt ? built(source) : join(root, source);
      const isFolder = (await stat(from)).isDirectory();
      const path =
        target.endsWith("/") && !isFolder ? join(target, basename(source)) : target.replace(/\/$/, "");
      const copy = join(folder, path);
      await mkdir(dirname(copy), { recursive: true });
      await cp(from, copy, { recursive: true, verbatimSymlinks: true });
      if (mode !== null) await chmod(copy, mode);
      files.set(path, copy);
    }
  }
  return files;
}

/** The parts of a container. */
export interface ContainerOptions {
  readonly name: string;
  /** An own, empty folder. */
  readonly folder: string;
  readonly base: Base;
  readonly image: Pick<
    Image,
    "environment" | "user" | "directory" | "healthcheck" | "entrypoint" | "command"
  >;
  readonly files: Files;
  /** Variables of compose or Kubernetes; they replace those of the image. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether only {@link writable} can be written. */
  readonly isReadOnly: boolean;
  readonly writable: readonly string[];
  /** Folders of this machine that can be written, as path here and path inside. */
  readonly binds?: readonly (readonly [string, string])[];
  /** Own ports that others may use. */
  readonly ports: readonly number[];
  /** The sockets of others, see {@link Container.portPath}. */
  readonly outgoing: readonly { readonly port: number; readonly path: string }[];
  /** Names under which others are found. */
  readonly hosts: readonly string[];
}

/** A running container. */
export interface Container {
  /** File of the socket that leads to one of its ports. */
  portPath(port: number): string;
  /** `healthy`, or why not: the output of the image's health check. */
  health(): Promise<string>;
  /** Runs a command beside the image's own. */
  run(command: readonly string[]): Promise<Ran>;
  /** Everything that it printed. */
  log(): Promise<string>;
  /** Sends SIGTERM, as an engine does. Resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Ends everything in it at once. */
  kill(): Promise<void>;
}

const namesPort = 5_353;

/**
 * Starts an image's entrypoint and command in namespaces of its own: with the image's files, user and variables, a
 * network of its own, and nothing else of this machine but programs and libraries.
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { name, folder, base, image, files, environment, hosts } = options;
  const run = join(folder, "run");
  const etc = join(folder, "etc");
  await Promise.all([run, etc].map((path) => mkdir(path, { recursive: true })));
  await writeFile(join(etc, "hosts"), `127.0.0.1 ${["localhost", name, ...hosts].join(" ")}\n`);
  await writeFile(join(etc, "resolv.conf"), `nameserver 127.0.0.1:${namesPort}\n`);
  const entrypoint = image.entrypoint ?? base.entrypoint;
  // A new entrypoint drops the command of the base image, as in Docker.
  const command = image.command ?? (image.entrypoint === null ? base.command : []);
  // The folders with the sockets of others are seen under names of their own.
  const others = new Map(options.outgoing.map(({ path }, at) => [dirname(path), `/run/others/${at}`]));
  const orders: Orders = {
    command: [...entrypoint, ...command],
    directory: image.directory,
    outgoing: options.outgoing.map(({ port, path }) => ({
      port,
      path: join(others.get(dirname(path)) ?? "", basename(path)),
    })),
    incoming: options.ports.map((port) => ({ port, path: `/run/chat21/in-${port}` })),
    controlPath: "/run/chat21/control",
    namesPort: base.needsNames ? namesPort : null,
  };
  const [uid = "0"] = image.user.split(":");
  const user = /^\d+$/.test(uid) ? uid : "100";
  const node = "/run/programs/node";
  const args = [
    ...["--unshare-user", "--uid", user, "--gid", user, "--unshare-net", "--unshare-pid", "--unshare-uts"],
    ...["--hostname", name, "--die-with-parent", "--new-session", "--clearenv"],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/var/tmp"],
    ...(await systemFolders(base.system, [...files.keys()])),
    ...["hosts", "resolv.conf"].flatMap((file) => ["--ro-bind", join(etc, file), `/etc/${file}`]),
    ...["--ro-bind", process.execPath, node],
    ...["--ro-bind", fileURLToPath(new URL("inside.ts", import.meta.url)), "/run/programs/inside.ts"],
    ...base.programs.flatMap(([path, target]) => ["--ro-bind", path, target]),
    ...["--bind", run, "/run/chat21"],
    ...[...others].flatMap(([path, target]) => ["--bind", path, target]),
    ...[...files].flatMap(([target, path]) => ["--ro-bind", path, target]),
    ...options.writable.flatMap((path) => ["--tmpfs", path]),
    ...(options.binds ?? []).flatMap(([path, target]) => ["--bind", path, target]),
    ...(options.isReadOnly
      ? ["--remount-ro", "/", ...(options.writable.includes("/tmp") ? [] : ["--remount-ro", "/tmp"])]
      : []),
    ...Object.entries({ ...base.environment, ...image.environment, ...environment }).flatMap(
      ([variable, value]) => ["--setenv", variable, value],
    ),
    ...[node, "/run/programs/inside.ts", JSON.stringify(orders)],
  ];
  const logPath = join(folder, "log");
  // A file, because a program that opens /dev/stdout cannot open a socket.
  const log = await open(logPath, "a");
  const child = spawn(await findDebianProgram("bubblewrap", "usr/bin/bwrap"), args, {
    stdio: ["ignore", log.fd, log.fd],
  });
  const ended = once(child, "close");
  await log.close();
  const control = async (path: string) => JSON.parse(await ask(join(run, "control"), path));
  const runInside = (command: readonly string[]): Promise<Ran> =>
    control(`/run?command=${encodeURIComponent(JSON.stringify(command))}`);
  return {
    portPath: (port) => join(run, `in-${port}`),
    run: runInside,
    health: () =>
      runInside(image.healthcheck).then(
        ({ code, output }) => (code === 0 ? "healthy" : output),
        (error: Error) => error.message,
      ),
    log: () => readFile(logPath, "utf8"),
    stop: () => control("/stop"),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Programs and libraries, without the folders in which the image has files of its own. */
async function systemFolders(system: string, targets: readonly string[]): Promise<string[]> {
  const bind = (path: string) => ["--ro-bind", join(system, path), path];
  const isOurs = (path: string) => targets.some((target) => target.startsWith(`${path}/`));
  const share = await readdir(join(system, "/usr/share"));
  return [
    ...["bin", "sbin", "lib"].flatMap((name) => [
      ...bind(`/usr/${name}`),
      "--symlink",
      `usr/${name}`,
      `/${name}`,
    ]),
    ...["--symlink", "usr/lib64", "/lib64", ...bind("/usr/lib64"), ...bind("/etc/alternatives")],
    ...share
      .map((name) => `/usr/share/${name}`)
      .filter((path) => !isOurs(path))
      .flatMap(bind),
  ];
}

/** Sends a GET over a socket in a file. Resolves with the body. */
function ask(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => void text(response).then(resolve, reject))
      .on("error", reject)
      .end();
  });
}

/** The path of a program, also where only its name is known. */
export async function programPath(packageName: string, path: string): Promise<string> {
  const found = await findDebianProgram(packageName, path);
  if (found.includes("/")) return found;
  return (await runCommand("sh", ["-c", `readlink -f "$(command -v ${found})"`])).trim();
}

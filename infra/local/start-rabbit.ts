import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isDockerRunning, removeContainer, runContainer } from "./docker.ts";
import { freePorts, isListening } from "./free-port.ts";
import { processesWith, startDetached, stopProcess, waitFor } from "./processes.ts";
import {
  deployedRabbitConfig,
  enabledPlugins,
  type RabbitKeys,
  type RabbitPorts,
  rabbitAdvancedConfig,
  rabbitConfig,
} from "./rabbit-config.ts";
import { findRabbit, type RabbitSeries } from "./rabbit-installation.ts";
import { runCommand } from "./run-command.ts";
import type { StartOptions } from "./start-mongo.ts";

/** A running RabbitMQ. An address is `null` when a given broker came without it. */
export interface RabbitService {
  readonly origin: "environment" | "docker" | "process";
  /** AMQP address with the user guest. */
  readonly uri: string;
  readonly mqttUri: string | null;
  readonly webMqttUri: string | null;
  readonly managementUri: string | null;
  readonly prometheusUri: string | null;
  /** Secret of the tokens that the broker accepts; `null` when a given broker came without it. */
  readonly jwtSecret: string | null;
  readonly pid: number | null;
  readonly container: string | null;
  /** Command and environment for `rabbitmqctl`; `null` for a given broker or a container. */
  readonly control: RabbitControl | null;
}

/**
 * Returns the RabbitMQ of `RABBITMQ_URI`, or starts one in Docker or as a process. Installs a missing program. When
 * nothing works, it rejects and names the choices.
 */
export async function startRabbit(options: RabbitOptions): Promise<RabbitService> {
  const { isOwn = false } = options;
  const uri = process.env["RABBITMQ_URI"];
  if (uri !== undefined && uri !== "" && !isOwn) return given(uri);
  const ports = await choosePorts(options);
  return !isOwn && (await isDockerRunning()) ? startInDocker(options, ports) : startOnMachine(options, ports);
}

/** Stops a RabbitMQ that {@link startRabbit} started. A given one keeps running. */
export async function stopRabbit({ pid, container, control }: RabbitService): Promise<void> {
  if (pid !== null) await stopProcess(pid);
  if (container !== null) await removeContainer(container);
  if (control === null) return;
  // The port mapper is a separate daemon, and it refuses to end until it has noticed that the broker is gone. The
  // broker's monitors end some time after it.
  await runCommand("epmd", ["-kill"], { env: control.env }).catch(() => {});
  await Promise.all(processesWith(`HOME=${control.env.HOME}`).map(stopProcess));
}

/** {@link StartOptions} of a broker. */
export interface RabbitOptions extends StartOptions {
  /** HS256 secret. @default "tokenKey" */
  readonly jwtSecret?: string;
  /** ES256 public keys in PEM, by `kid`. @default none */
  readonly jwtKeys?: Readonly<Record<string, string>>;
  /**
   * Uses the configuration of deployments, with this user for our own processes. @default the contributors' one, with
   * guest
   */
  readonly asDeployed?: { readonly user: string; readonly password: string };
  /** @default a free port */
  readonly mqttPort?: number;
  /** @default a free port */
  readonly webMqttPort?: number;
}

/** Default token secret, for local use only. Original deployments use the same one as their default. */
const localJwtSecret = "tokenKey";

/** The way to reach a private node with the broker's own tools. */
interface RabbitControl {
  readonly command: string;
  readonly node: string;
  /** All processes of the broker have it. `HOME` is the broker's own folder. */
  readonly env: Readonly<Record<string, string>> & { readonly HOME: string };
}

async function choosePorts({ port, mqttPort, webMqttPort }: RabbitOptions): Promise<RabbitPorts> {
  const [amqp = 0, mqtt = 0, webMqtt = 0, management = 0, prometheus = 0, distribution = 0, portMapper = 0] =
    await freePorts(7);
  return {
    amqp: port ?? amqp,
    mqtt: mqttPort ?? mqtt,
    webMqtt: webMqttPort ?? webMqtt,
    ...{ management, prometheus, distribution, portMapper },
  };
}

function addressesOf(ports: RabbitPorts, jwtSecret: string, login = "guest:guest") {
  return {
    uri: `amqp://${login}@127.0.0.1:${ports.amqp}`,
    mqttUri: `mqtt://127.0.0.1:${ports.mqtt}`,
    webMqttUri: `ws://127.0.0.1:${ports.webMqtt}/ws`,
    managementUri: `http://127.0.0.1:${ports.management}`,
    prometheusUri: `http://127.0.0.1:${ports.prometheus}/metrics`,
    jwtSecret,
  };
}

async function writeConfig(folder: string, series: RabbitSeries, config: string, keys: RabbitKeys) {
  await mkdir(folder, { recursive: true });
  const paths = {
    config: join(folder, "rabbitmq.conf"),
    advanced: join(folder, "advanced.config"),
    plugins: join(folder, "enabled_plugins"),
  };
  await writeFile(paths.config, config);
  await writeFile(paths.advanced, rabbitAdvancedConfig(series, keys), { mode: 0o600 });
  await writeFile(paths.plugins, enabledPlugins(series));
  return paths;
}

function environmentOf(folder: string, ports: RabbitPorts, node: string) {
  return {
    HOME: folder,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(ports.portMapper),
    RABBITMQ_NODENAME: node,
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_PID_FILE: join(folder, "rabbitmq.pid"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "advanced.config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    // No busy waiting, so that the tests get the processor.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
  };
}

function loginOf(asDeployed: RabbitOptions["asDeployed"]): Readonly<Record<string, string>> {
  if (asDeployed === undefined) return {};
  return { RABBITMQ_DEFAULT_USER: asDeployed.user, RABBITMQ_DEFAULT_PASS: asDeployed.password };
}

async function startOnMachine(options: RabbitOptions, ports: RabbitPorts): Promise<RabbitService> {
  const { jwtSecret = localJwtSecret, jwtKeys = {}, asDeployed, log = () => {} } = options;
  const { series, programs } = await findRabbit(log);
  const folder = resolve(options.folder, `rabbit-${ports.amqp}`);
  const config = asDeployed === undefined ? rabbitConfig(ports) : deployedRabbitConfig(series, ports);
  await writeConfig(folder, series, config, { jwtSecret, jwtKeys });
  const node = `chat21-${ports.amqp}@localhost`;
  const env = { ...environmentOf(folder, ports, node), ...loginOf(asDeployed) };
  const logPath = join(folder, "rabbitmq.log");
  const pid = await startDetached({ command: `${programs}rabbitmq-server`, args: [], env, logPath });
  const control = { command: `${programs}rabbitmqctl`, node, env };
  const service: RabbitService = {
    origin: "process",
    ...addressesOf(ports, jwtSecret, asDeployed && `${asDeployed.user}:${asDeployed.password}`),
    pid,
    container: null,
    control,
  };
  try {
    await waitFor(`RabbitMQ (${logPath})`, pid, 90_000, () => isListening(ports.amqp));
    await runCommand(control.command, ["--node", node, "await_startup", "--timeout", "90"], {
      env,
      timeoutMs: 100_000,
    });
    // The started process is a script around the broker. Tests must pause or kill the broker itself.
    return { ...service, pid: Number(await readFile(env.RABBITMQ_PID_FILE, "utf8")) };
  } catch (cause) {
    await stopRabbit(service);
    throw new Error(`RabbitMQ did not start: see ${logPath} and ${env.RABBITMQ_LOG_BASE}`, { cause });
  }
}

async function startInDocker(options: RabbitOptions, ports: RabbitPorts): Promise<RabbitService> {
  const { jwtSecret = localJwtSecret, jwtKeys = {} } = options;
  const folder = resolve(options.folder, `rabbit-${ports.amqp}`);
  const paths = await writeConfig(folder, "4", rabbitConfig(ports), { jwtSecret, jwtKeys });
  const container = `chat21-rabbit-${ports.amqp}`;
  const mounts = [
    `${paths.config}:/etc/rabbitmq/conf.d/90-chat21.conf:ro`,
    `${paths.advanced}:/etc/rabbitmq/advanced.config:ro`,
    `${paths.plugins}:/etc/rabbitmq/enabled_plugins`,
  ];
  const volumes = mounts.flatMap((mount) => ["--volume", mount]);
  await runContainer(container, ["--network", "host", ...volumes, "rabbitmq:4-management"]);
  await runCommand("docker", ["exec", container, "rabbitmqctl", "await_startup", "--timeout", "90"], {
    timeoutMs: 100_000,
  });
  return {
    ...{ origin: "docker", ...addressesOf(ports, jwtSecret), pid: null, container, control: null },
  };
}

function given(uri: string): RabbitService {
  const told = (name: string) => process.env[name] ?? null;
  return {
    origin: "environment",
    uri,
    mqttUri: told("RABBITMQ_MQTT_URI"),
    webMqttUri: told("RABBITMQ_WEB_MQTT_URI"),
    managementUri: told("RABBITMQ_MANAGEMENT_URI"),
    prometheusUri: told("RABBITMQ_PROMETHEUS_URI"),
    jwtSecret: told("JWT_KEY"),
    ...{ pid: null, container: null, control: null },
  };
}

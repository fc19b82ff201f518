/**
 * Starts and stops RabbitMQ and MongoDB for contributors and CI. Works with and without Docker:
 *
 *     node infra/local/services.ts up [--folder .chat21-services] [--mongo-port n] [--amqp-port n] [--mqtt-port n]
 *       [--web-mqtt-port n] [--jwt-secret text]
 *     node infra/local/services.ts status|down [--folder .chat21-services]
 */
import { parseArgs } from "node:util";
import { isAlive } from "./processes.ts";
import { mongoOf, rabbitOf, readServices, takeDown } from "./service-folder.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: "string", default: ".chat21-services" },
    "mongo-port": { type: "string" },
    "amqp-port": { type: "string" },
    "mqtt-port": { type: "string" },
    "web-mqtt-port": { type: "string" },
    "jwt-secret": { type: "string" },
  },
});

function portOf(name: "amqp-port" | "mongo-port" | "mqtt-port" | "web-mqtt-port"): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--${name}: expected a port, 1 to 65535, got ${text}`);
  return port;
}

/** Removes the options that were not given. */
function given<T extends object>(options: T): { [Key in keyof T]: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

function state(service: { readonly origin: string; readonly pid: number | null }): string {
  if (service.pid === null) return service.origin;
  return isAlive(service.pid) ? `process ${service.pid}` : `process ${service.pid}, which has ended`;
}

async function status(): Promise<void> {
  const { mongo, rabbit } = await readServices(values.folder);
  if (mongo === undefined && rabbit === undefined) console.log("nothing is up");
  if (mongo) console.log(`MONGODB_URI=${mongo.uri}  # ${state(mongo)}`);
  if (rabbit === undefined) return;
  console.log(`RABBITMQ_URI=${rabbit.uri}  # ${state(rabbit)}`);
  for (const address of ["mqttUri", "webMqttUri", "managementUri", "prometheusUri"] as const) {
    if (rabbit[address] !== null) console.log(`# ${address} ${rabbit[address]}`);
  }
}

async function up(): Promise<void> {
  const log = (line: string) => console.error(line);
  const mongo = given({ port: portOf("mongo-port"), log });
  const ports = {
    port: portOf("amqp-port"),
    mqttPort: portOf("mqtt-port"),
    webMqttPort: portOf("web-mqtt-port"),
  };
  await mongoOf(values.folder, mongo);
  await rabbitOf(values.folder, given({ ...ports, jwtSecret: values["jwt-secret"], log }));
  await status();
}

const commands = { up, status, down: () => takeDown(values.folder) };
const [name = ""] = positionals;
const command = Object.hasOwn(commands, name) ? commands[name as keyof typeof commands] : undefined;

if (command === undefined || positionals.length !== 1) {
  console.error("usage: node infra/local/services.ts up|down|status");
  process.exitCode = 2;
} else {
  await command().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

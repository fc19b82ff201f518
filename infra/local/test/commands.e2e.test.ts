import { afterAll } from "vitest";
import { describeCommands } from "../../../apps/server/test/describe-commands.ts";
import { removeDataDirs } from "../../../apps/server/test/server-process.ts";
import { startNodes } from "./start-nodes.ts";

afterAll(removeDataDirs);

// Not on the processes behind RabbitMQ's plugin: their API has no MQTT at its own address, which `send` and `tail` need.
describeCommands("a network of nodes", startNodes);

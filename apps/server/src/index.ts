export type { Config, Environment, LoadedConfig, Notice, Overrides } from "./config.ts";
export { loadConfig } from "./config.ts";
export type { Server, ServerAddresses } from "./create-server.ts";
export { createServer } from "./create-server.ts";
export type { LogFormat } from "./log.ts";
export { createLog } from "./log.ts";
export { OperatorError } from "./operator-error.ts";
export type { LogLevel } from "./settings.ts";

export type { Environment, LoadedConfig, LogFormat, LogLevel, Notice } from "@chat21/runtime";
export { createLog, OperatorError } from "@chat21/runtime";
export type { Config, Overrides } from "./config.ts";
export { loadConfig } from "./config.ts";
export type { Server, ServerAddresses } from "./create-server.ts";
export { createServer } from "./create-server.ts";

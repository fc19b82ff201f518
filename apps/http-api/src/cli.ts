#!/usr/bin/env node
import { runService } from "@chat21/runtime";
import manifest from "../package.json" with { type: "json" };
import { apiSettings, loadApiConfig } from "./config.ts";
import { createApiService } from "./create-api-service.ts";

await runService(
  {
    name: "chat21-http-api",
    version: manifest.version,
    purpose: "Serves REST: history, groups, tokens, and sending for backends. Any number may run.",
    settings: apiSettings,
    load: loadApiConfig,
    start: createApiService,
  },
  process.argv,
);

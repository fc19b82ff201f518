import type { ServiceProgram } from "@chat21/runtime";
import { type ApiConfig, loadApiConfig } from "./config.ts";
import { createApiService } from "./create-api-service.ts";
import { apiSettings } from "./settings.ts";
import { version } from "./version.ts";

/** The command `chat21-http-api`. */
export const apiProgram: ServiceProgram<ApiConfig> = {
  name: "chat21-http-api",
  version,
  purpose: "Serves REST: history, groups, tokens, and sending for backends. Any number may run.",
  settings: apiSettings,
  hasWebhooks: true,
  load: loadApiConfig,
  create: (config, log) => createApiService(config, log),
};

export { compressAnswers } from "./compress-answers.ts";
export type { HttpApiOptions } from "./create-http-api.ts";
export { createHttpApi } from "./create-http-api.ts";
export type { HttpApiConfig, RateLimits } from "./http-api-config.ts";
export { httpApiDefaults } from "./http-api-config.ts";
export { apiSettings } from "./settings.ts";

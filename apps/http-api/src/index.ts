export type { Authority, AuthorityConfig } from "./authority.ts";
export { createAuthority } from "./authority.ts";
export { compressAnswers } from "./compress-answers.ts";
export type { SharedApiConfig } from "./config.ts";
export { apiSettings, readSharedApiConfig } from "./config.ts";
export type { HttpApiOptions } from "./create-http-api.ts";
export { createHttpApi } from "./create-http-api.ts";
export type { ApiChoices, HttpApiConfig, RateLimits } from "./http-api-config.ts";
export { httpApiConfigOf, httpApiDefaults } from "./http-api-config.ts";
export type { IdentityProviderConfig } from "./identity-provider.ts";
export { chooseIdentityProvider, createProvider, identityProviderSettingNames } from "./identity-provider.ts";
export type {
  OperatorApiOptions,
  OperatorWebhooks,
  ServerKeyDescription,
  TestedEndpoint,
  WebhooksDescription,
} from "./operator-api.ts";
export { operatorApi } from "./operator-api.ts";
export type { Need } from "./permits.ts";
export { permits } from "./permits.ts";
export { recordedWebhooks } from "./recorded-webhooks.ts";
export type { CallerParts, CallersOptions } from "./verify-caller.ts";
export { createCallers } from "./verify-caller.ts";

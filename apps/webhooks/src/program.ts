import { generateWebhookSecret } from "@chat21/events";
import type { ServiceProgram } from "@chat21/runtime";
import { loadWebhooksConfig, type WebhooksConfig } from "./config.ts";
import { createWebhooksService } from "./create-webhooks-service.ts";
import { webhooksSettings } from "./settings.ts";
import { version } from "./version.ts";

/** The command `chat21-webhooks`. */
export const webhooksProgram: ServiceProgram<WebhooksConfig> = {
  name: "chat21-webhooks",
  version,
  purpose: "Sends the webhooks that the other processes have recorded in MongoDB. Any number may run.",
  settings: webhooksSettings,
  hasWebhooks: true,
  commands: {
    "new-secret": {
      meaning: "Makes a signing secret for WEBHOOK_SECRETS, and ends.",
      run: async () => generateWebhookSecret(),
    },
  },
  load: loadWebhooksConfig,
  create: createWebhooksService,
};

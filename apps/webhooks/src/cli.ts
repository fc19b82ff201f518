#!/usr/bin/env node
import { generateWebhookSecret } from "@chat21/events";
import { runService } from "@chat21/runtime";
import manifest from "../package.json" with { type: "json" };
import { loadWebhooksConfig, webhooksSettings } from "./config.ts";
import { createWebhooksService } from "./create-webhooks-service.ts";

await runService(
  {
    name: "chat21-webhooks",
    version: manifest.version,
    purpose: "Sends the webhooks that the other processes have recorded in MongoDB. Any number may run.",
    settings: webhooksSettings,
    commands: {
      "new-secret": {
        meaning: "Makes a signing secret for WEBHOOK_SECRETS, and ends.",
        run: async () => generateWebhookSecret(),
      },
    },
    load: loadWebhooksConfig,
    start: createWebhooksService,
  },
  process.argv,
);

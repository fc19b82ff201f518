import { type WebhookSettings, webhookSettingsSchema, webhookVariables } from "@chat21/webhooks";
import type { Config, Notice } from "./config.ts";
import { didYouMean } from "./did-you-mean.ts";
import { OperatorError } from "./operator-error.ts";

/** What was chosen about webhooks, and what there is to say about it. */
export interface LoadedWebhookSettings {
  readonly settings: WebhookSettings;
  readonly notices: readonly Notice[];
}

/** Reads the `WEBHOOK_` variables. Throws `OperatorError` for the first value that cannot be used. */
export function loadWebhookSettings(config: Pick<Config, "webhooks">): LoadedWebhookSettings {
  const result = webhookSettingsSchema.safeParse(config.webhooks);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new OperatorError(`${issue?.path.join(".") ?? "WEBHOOK_"}: ${issue?.message ?? "cannot be used"}`);
  }
  const settings = result.data;
  const notices: Notice[] = settings.notices.map((text) => ({ level: "info", text }));
  const known = Object.keys(webhookVariables);
  for (const name of Object.keys(config.webhooks)) {
    if (known.includes(name)) continue;
    const guess = didYouMean(name, known);
    const suggestion = guess === undefined ? "" : `; did you mean ${guess}?`;
    notices.push({ level: "warn", text: `${name} is not a setting${suggestion}` });
  }
  return { settings, notices };
}

import { readFileSync } from "node:fs";
import { type WebhookSettings, webhookSettingsSchema, webhookVariables, withSecrets } from "@chat21/events";
import { ChatError } from "@chat21/protocol";
import { didYouMean } from "./did-you-mean.ts";
import { codeOf, OperatorError } from "./failure.ts";
import type { Environment, Notice } from "./read-settings.ts";

/** Settings of webhooks, and the notices about them. */
export interface LoadedWebhookSettings {
  readonly settings: WebhookSettings;
  readonly notices: readonly Notice[];
}

/**
 * The settings with the secrets that their file has now; without a file, as they are. Throws `OperatorError` for a file that
 * cannot be read, or holds no secrets.
 */
export function readWebhookSecrets(settings: WebhookSettings): WebhookSettings {
  const { secretsFile } = settings;
  if (secretsFile === undefined) return settings;
  try {
    return withSecrets(settings, readFileSync(secretsFile, "utf8"));
  } catch (cause) {
    const reason = cause instanceof ChatError ? cause.message : `cannot be read (${codeOf(cause)})`;
    throw new OperatorError(`WEBHOOK_SECRETS_FILE: ${secretsFile}: ${reason}`, { cause });
  }
}

/**
 * Reads the `WEBHOOK_` variables of an environment, and the file of secrets; others are ignored. Throws `OperatorError` for the first value that
 * cannot be used.
 */
export function loadWebhookSettings(environment: Environment): LoadedWebhookSettings {
  const variables = Object.fromEntries(
    Object.entries(environment).filter(([name]) => name.startsWith("WEBHOOK_")),
  );
  const result = webhookSettingsSchema.safeParse(variables);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new OperatorError(`${issue?.path.join(".") ?? "WEBHOOK_"}: ${issue?.message ?? "cannot be used"}`);
  }
  const settings = readWebhookSecrets(result.data);
  const notices: Notice[] = settings.notices.map((text) => ({ level: "info", text }));
  const known = Object.keys(webhookVariables);
  for (const name of Object.keys(variables)) {
    if (known.includes(name)) continue;
    const guess = didYouMean(name, known);
    const suggestion = guess === undefined ? "" : `; did you mean ${guess}?`;
    notices.push({ level: "warn", text: `${name} is not a setting${suggestion}` });
  }
  return { settings, notices };
}

import { ChatError, usualWebhookEvents, type WebhookEvent, webhookEvents } from "@chat21/protocol";
import * as z from "zod";
import { isAddressRange } from "./address-range.ts";
import { normalizeEndpointUrl, type WebhookEndpoint } from "./endpoint.ts";
import { isWebhookSecret, type WebhookSecret } from "./webhook-secret.ts";

const hourMs = 60 * 60 * 1_000;

/** Everything about webhooks that a deployment chooses. */
export interface WebhookSettings {
  /** `false`: nothing is recorded and nothing is sent. */
  readonly enabled: boolean;
  /** Without repeats. `secrets` is empty where `WEBHOOK_SECRETS` gives none: the process brings its own. */
  readonly endpoints: readonly WebhookEndpoint[];
  /** Holds what `WEBHOOK_SECRETS` would; see {@link withSecrets}. @default the secrets are in `endpoints`, or nowhere */
  readonly secretsFile?: string;
  /** Which events are recorded; `presence-change` is not subject to it. */
  readonly events: readonly WebhookEvent[];
  /** Address ranges beside the public Internet that requests may go to. */
  readonly allowPrivate: readonly string[];
  /** How long delivered rows stay in the log, milliseconds. */
  readonly keepDeliveredMs: number;
  /** How long dead letters can be replayed, milliseconds. */
  readonly keepDeadMs: number;
  /** Notices that the operator should read once: a variable that is understood by an old name, or not used. */
  readonly notices: readonly string[];
}

/** Values that apply where a variable is not set. */
export const webhookSettingDefaults = {
  enabled: true,
  events: usualWebhookEvents,
  allowPrivate: [],
  keepDeliveredMs: 24 * hourMs,
  keepDeadMs: 30 * 24 * hourMs,
} as const satisfies Partial<WebhookSettings>;

const switchWords = new Map([
  ...["true", "1", "on", "yes"].map((word) => [word, true] as const),
  ...["false", "0", "off", "no"].map((word) => [word, false] as const),
]);

const switchSchema = z.string().transform((text, context) => {
  const value = switchWords.get(text.trim().toLowerCase());
  if (value !== undefined) return value;
  context.addIssue("expected true or false");
  return z.NEVER;
});

const splitList = (text: string) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

const endpointsSchema = z.string().transform((text, context): readonly string[] => {
  try {
    return splitList(text).map(normalizeEndpointUrl);
  } catch (thrown) {
    context.addIssue(ChatError.fromUnknown(thrown).message);
    return z.NEVER;
  }
});

const isWebhookEvent = (name: string): name is WebhookEvent =>
  (webhookEvents as readonly string[]).includes(name);

const eventsSchema = z.string().transform((text, context): readonly WebhookEvent[] => {
  const names = splitList(text);
  if (names.every(isWebhookEvent)) return names;
  context.addIssue(`expected names between commas, of ${webhookEvents.join(", ")}`);
  return z.NEVER;
});

const secretsSchema = z.string().transform((text, context): readonly (readonly WebhookSecret[])[] => {
  const groups = splitList(text).map((group) => group.split("|").map((secret) => secret.trim()));
  if (groups.every((secrets) => secrets.length <= 2 && secrets.every(isWebhookSecret))) return groups;
  context.addIssue(
    "expected one secret for all endpoints, or one for each between commas; a secret is whsec_ and 24 to 64 bytes " +
      "in base64, and during a rotation the new and the old one with | between them",
  );
  return z.NEVER;
});

const rangesSchema = z
  .string()
  .transform(splitList)
  .refine((ranges) => ranges.every(isAddressRange), {
    error: "expected address ranges between commas, such as 10.0.0.0/8, fd00::/8",
  });

const durationSchema = (unitMs: number, highest: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,6}$/, { error: `expected a whole number, 1 to ${highest}` })
    .transform(Number)
    .refine((value) => value >= 1 && value <= highest, { error: `expected a whole number, 1 to ${highest}` })
    .transform((value) => value * unitMs);

/** Every variable by name, each from its text to its value; messages complete "expected …" and show no secret. */
export const webhookVariables = {
  WEBHOOK_ENABLED: switchSchema,
  WEBHOOK_ENDPOINTS: endpointsSchema,
  /** The old, singular name. */
  WEBHOOK_ENDPOINT: endpointsSchema,
  WEBHOOK_EVENTS: eventsSchema,
  WEBHOOK_SECRETS: secretsSchema,
  WEBHOOK_SECRETS_FILE: z.string().trim(),
  WEBHOOK_ALLOW_PRIVATE: rangesSchema,
  WEBHOOK_KEEP_DELIVERED_HOURS: durationSchema(hourMs, 8_760),
  WEBHOOK_KEEP_DEAD_DAYS: durationSchema(24 * hourMs, 3_650),
} as const;

/** An empty variable counts as one that is not set. */
const unlessEmpty = <Value>(schema: z.ZodType<Value, string>) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

/**
 * From an environment (`process.env`, or the named variables of it) to the settings. Other variables are ignored.
 * Issues have the variable's name as `path`.
 */
export const webhookSettingsSchema = z
  .object({
    WEBHOOK_ENABLED: unlessEmpty(webhookVariables.WEBHOOK_ENABLED),
    WEBHOOK_ENDPOINTS: unlessEmpty(webhookVariables.WEBHOOK_ENDPOINTS),
    WEBHOOK_ENDPOINT: unlessEmpty(webhookVariables.WEBHOOK_ENDPOINT),
    WEBHOOK_EVENTS: unlessEmpty(webhookVariables.WEBHOOK_EVENTS),
    WEBHOOK_SECRETS: unlessEmpty(webhookVariables.WEBHOOK_SECRETS),
    WEBHOOK_SECRETS_FILE: unlessEmpty(webhookVariables.WEBHOOK_SECRETS_FILE),
    WEBHOOK_ALLOW_PRIVATE: unlessEmpty(webhookVariables.WEBHOOK_ALLOW_PRIVATE),
    WEBHOOK_KEEP_DELIVERED_HOURS: unlessEmpty(webhookVariables.WEBHOOK_KEEP_DELIVERED_HOURS),
    WEBHOOK_KEEP_DEAD_DAYS: unlessEmpty(webhookVariables.WEBHOOK_KEEP_DEAD_DAYS),
  })
  .transform((values, context): WebhookSettings => {
    const urls = values.WEBHOOK_ENDPOINTS ?? values.WEBHOOK_ENDPOINT ?? [];
    const groups = values.WEBHOOK_SECRETS ?? [];
    const miscount = miscountOf(groups, urls);
    if (miscount !== undefined) {
      context.addIssue({ code: "custom", path: ["WEBHOOK_SECRETS"], message: miscount });
      return z.NEVER;
    }
    const secretsFile = values.WEBHOOK_SECRETS_FILE;
    if (secretsFile !== undefined && values.WEBHOOK_SECRETS !== undefined) {
      const message = "WEBHOOK_SECRETS is set as well: set one of the two";
      context.addIssue({ code: "custom", path: ["WEBHOOK_SECRETS_FILE"], message });
      return z.NEVER;
    }
    const defaults = webhookSettingDefaults;
    return {
      enabled: values.WEBHOOK_ENABLED ?? defaults.enabled,
      endpoints: pairEndpoints(urls, groups),
      ...(secretsFile === undefined ? {} : { secretsFile }),
      events: values.WEBHOOK_EVENTS ?? defaults.events,
      allowPrivate: values.WEBHOOK_ALLOW_PRIVATE ?? defaults.allowPrivate,
      keepDeliveredMs: values.WEBHOOK_KEEP_DELIVERED_HOURS ?? defaults.keepDeliveredMs,
      keepDeadMs: values.WEBHOOK_KEEP_DEAD_DAYS ?? defaults.keepDeadMs,
      notices: noticesOf(values.WEBHOOK_ENDPOINTS, values.WEBHOOK_ENDPOINT),
    };
  });

/**
 * The settings with the secrets of a text in the form of `WEBHOOK_SECRETS`. Throws `ChatError` `bad_request`, whose message
 * shows no secret.
 */
export function withSecrets(settings: WebhookSettings, text: string): WebhookSettings {
  const urls = settings.endpoints.map(({ url }) => url);
  const parsed = secretsSchema.safeParse(text);
  const groups = parsed.data ?? [];
  const miscount = groups.length === 0 ? "there is no secret in it" : miscountOf(groups, urls);
  const fault = parsed.success ? miscount : parsed.error.issues[0]?.message;
  if (fault !== undefined) throw new ChatError("bad_request", fault);
  return { ...settings, endpoints: pairEndpoints(urls, groups) };
}

function miscountOf(groups: readonly unknown[], urls: readonly string[]): string | undefined {
  if (groups.length <= 1 || groups.length === urls.length) return undefined;
  return `expected 1 secret, or ${urls.length}: as many as there are endpoints; got ${groups.length}`;
}

/** The first of several equal addresses counts, with its own secret. */
function pairEndpoints(
  urls: readonly string[],
  groups: readonly (readonly WebhookSecret[])[],
): readonly WebhookEndpoint[] {
  const endpoints = new Map<string, WebhookEndpoint>();
  for (const [index, url] of urls.entries()) {
    const secrets = (groups.length > 1 ? groups[index] : groups[0]) ?? [];
    if (!endpoints.has(url)) endpoints.set(url, { url, secrets });
  }
  return [...endpoints.values()];
}

function noticesOf(
  plural: readonly string[] | undefined,
  singular: readonly string[] | undefined,
): readonly string[] {
  if (singular === undefined) return [];
  return plural === undefined
    ? ["WEBHOOK_ENDPOINT is understood, but it is called WEBHOOK_ENDPOINTS now"]
    : ["WEBHOOK_ENDPOINT is not used: WEBHOOK_ENDPOINTS is set as well and wins"];
}

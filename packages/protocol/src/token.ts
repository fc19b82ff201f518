import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { idSchema } from "./id-schemas.ts";
import { limits } from "./limits.ts";
import { topics, toRoutingKey } from "./topics.ts";

/** The claims that say whose a token is, and until when: all that a client reads. */
export const tokenHolderSchema = defineSchema(() =>
  z.looseObject({
    sub: z.string(),
    app_id: z.string(),
    exp: z.optional(z.number()),
    /** The MQTT client id the token is bound to (strict profile). In compat tokens it repeats the user's id. */
    client_id: z.optional(z.string()),
    profile: z.optional(z.literal(["strict", "compat"])),
  }),
);

/**
 * Claims of a token. Existing issuers write all of them; only `sub` and `app_id` are needed to know the user. `exp`,
 * `iat` and `nbf` are seconds (RFC 7519).
 */
export const claimsSchema = defineSchema(() =>
  z.looseObject({
    ...tokenHolderSchema.shape,
    jti: z.optional(z.string()),
    /** `jti` of the token from which this one descends by renewals, if it is a text: Chat21 writes it itself. */
    fam: z.optional(z.unknown()),
    iat: z.optional(z.number()),
    nbf: z.optional(z.number()),
    aud: z.optional(z.union([z.string(), z.array(z.string())])),
    scope: z.optional(z.union([z.string(), z.array(z.string())])),
    /** `admin` may act for every user of its app. */
    tiledesk_api_roles: z.optional(z.union([z.string(), z.array(z.string())])),
  }),
);
export type Claims = z.infer<typeof claimsSchema>;

/** The `aud` entry that RabbitMQ's OAuth 2 plugin asks for; also its `resource_server_id`. */
export const tokenAudience = "rabbitmq";

/**
 * RabbitMQ scopes of a user's token. `strict` (with a client id) only opens the user's own topics and own subscription
 * queues; `compat` has the scopes of existing issuers, with `configure` on everything.
 */
export function userScopes(app: string, user: string, clientId?: string): readonly string[] {
  const inbox = toRoutingKey(topics.inbox(app, user)).replace("#", "*");
  const outgoing = `apps.${app}.outgoing.users.${user}.*`;
  if (clientId === undefined) {
    return [
      `rabbitmq.read:*/*/${inbox}`,
      `rabbitmq.write:*/*/${inbox}`,
      `rabbitmq.write:*/*/${outgoing}`,
      "rabbitmq.configure:*/*/*",
    ];
  }
  // The plugin names its queues by client id and QoS. Whole names: with a wildcard, client `a` would reach `aqos0b`.
  const queues = [0, 1].map((qos) => `mqtt-subscription-${clientId}qos${qos}`);
  const permissions = ["configure", "write", "read"] as const;
  return [
    `rabbitmq.read:*/amq.topic/${inbox}`,
    `rabbitmq.write:*/amq.topic/${inbox}`,
    `rabbitmq.write:*/amq.topic/${outgoing}`,
    ...queues.flatMap((queue) => permissions.map((permission) => `rabbitmq.${permission}:*/${queue}`)),
  ];
}

/** Scopes of a backend's token: everything. */
export const serviceScopes = [
  "rabbitmq.read:*/*/*",
  "rabbitmq.write:*/*/*",
  "rabbitmq.configure:*/*/*",
] as const;

/** `POST /api/v1/{app}/users/{id}/tokens`. */
export const tokenRequestSchema = defineSchema(() =>
  z.strictObject({
    /** Seconds of life; 3600 at most in the strict profile. @default 3600 (strict), 86400 (compat) */
    ttl: z.optional(z.int().check(z.positive(), z.maximum(limits.compatTokenTtlMs / 1_000))),
    /** @default "strict" */
    profile: z.optional(z.literal(["strict", "compat"])),
    /** MQTT client id to bind a strict token to. @default a random UUID */
    client_id: z.optional(idSchema),
  }),
);
export type TokenRequest = z.infer<typeof tokenRequestSchema>;

/** Answer to a token request. `expires_at` is milliseconds. */
export const tokenResponseSchema = defineSchema(() =>
  z.looseObject({
    token: z.string(),
    token_id: z.string(),
    user: z.string(),
    client_id: z.string(),
    expires_at: z.number(),
  }),
);
export type TokenResponse = z.infer<typeof tokenResponseSchema>;

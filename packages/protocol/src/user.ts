import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";
import { byteLength } from "./ids.ts";
import { limits } from "./limits.ts";

const name = defineSchema(() =>
  z.string().check(
    z.refine((text) => byteLength(text) <= limits.nameBytes, {
      error: `expected at most ${limits.nameBytes} bytes`,
    }),
  ),
);

/** `PUT /api/v1/{app}/users/{id}`: replaces the profile. */
export const userProfileSchema = defineSchema(() =>
  z.strictObject({
    fullname: z.optional(name),
    firstname: z.optional(name),
    lastname: z.optional(name),
    email: z.optional(name),
    attributes: z.optional(z.record(z.string(), z.unknown())),
  }),
);
export type UserProfile = z.infer<typeof userProfileSchema>;

/** A user in answers of REST. Times are milliseconds. */
export const userSchema = defineSchema(() =>
  z.looseObject({
    id: z.string(),
    fullname: z.string(),
    firstname: z.optional(z.string()),
    lastname: z.optional(z.string()),
    email: z.optional(z.string()),
    attributes: z.optional(z.record(z.string(), z.unknown())),
    created_at: z.number(),
    updated_at: z.number(),
    presence: z.optional(z.literal(["online", "offline"])),
    last_seen: z.optional(z.number()),
  }),
);
export type User = z.infer<typeof userSchema>;

/**
 * `GET /api/v1/{app}/presence?users=a,b`, in the order of the request. `last_seen`: 0 = never, or hidden from the
 * caller.
 */
export const presenceListSchema = defineSchema(() =>
  z.looseObject({
    presence: z.array(
      z.looseObject({
        user: z.string(),
        presence: z.literal(["online", "offline"]),
        last_seen: z.optional(z.number()),
      }),
    ),
  }),
);
export type PresenceList = z.infer<typeof presenceListSchema>;

/** `GET /api/v1/{app}/names?users=a,b`: users with a name in their profile, in the order of the request. */
export const nameListSchema = defineSchema(() =>
  z.looseObject({ names: z.array(z.looseObject({ user: z.string(), name: z.string() })) }),
);

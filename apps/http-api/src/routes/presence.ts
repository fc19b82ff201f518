import { limits, outsideUserIdSchema } from "@chat21/protocol";
import * as z from "zod";
import { json } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

/** Users of one request. */
export const usersQuery = z
  .union([z.string().transform((text) => text.split(",")), z.array(z.string())])
  .transform((users) => [...new Set(users)])
  .pipe(z.array(outsideUserIdSchema).min(1).max(limits.presenceUsers))
  .meta({
    description:
      `Ids, ${limits.presenceUsers} at most. Where the parameter is repeated, each value is one id. A single value is ` +
      "split at its commas, so a single id with a comma is sent twice.",
  });

const presenceSchema = z.object({
  user: z.string(),
  presence: z.enum(["online", "offline"]),
  last_seen: z
    .int()
    .meta({ description: "Milliseconds since 1970; 0 = never, or not for the caller to know." }),
});

/** Routes of presence. */
export const presenceRoutes: readonly Route[] = [
  defineRoute({
    id: "getPresence",
    api: "v1",
    method: "get",
    path: "/v1/{app}/presence",
    who: "app",
    summary:
      "Presence of users who share a conversation with the caller; everybody else looks as if never seen.",
    query: z.strictObject({ users: usersQuery }),
    example: { query: "users=bob" },
    answers: {
      200: {
        description: "In the order asked for.",
        schema: z.object({ presence: z.array(presenceSchema) }).meta({ id: "PresenceList" }),
      },
    },
    async handle({ actor, query }, { engine }) {
      const found = await engine.presence.get(actor, query.users);
      const presence = query.users.map((user, index) => {
        const one = found[index];
        return { user, presence: one?.online === true ? "online" : "offline", last_seen: one?.lastSeen ?? 0 };
      });
      return json(200, { presence });
    },
  }),
];

import type { Actor, Engine } from "@chat21/engine";
import { fullNameOf } from "@chat21/people";
import type { UserProfile } from "@chat21/protocol";
import * as z from "zod";
import { json } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { usersQuery } from "./presence.ts";

const nameSchema = z.object({ user: z.string(), name: z.string() });

/** Routes of people's names. */
export const nameRoutes: readonly Route[] = [
  defineRoute({
    id: "getNames",
    api: "v1",
    method: "get",
    path: "/v1/{app}/names",
    who: "app",
    summary:
      "Names from users' profiles. Who has no name there is left out; with CHAT21_NAMES_VISIBLE=0 so is who shares no conversation with the caller.",
    query: z.strictObject({ users: usersQuery }),
    example: { query: "users=bob" },
    answers: {
      200: {
        description: "In the order asked for.",
        schema: z.object({ names: z.array(nameSchema) }).meta({ id: "NameList" }),
      },
    },
    async handle({ actor, params, query }, { config, engine, store }) {
      const users = config.namesVisible ? query.users : await acquainted(engine, actor, query.users);
      const records = await Promise.all(users.map((user) => store.users.get(params.app, user)));
      const names = records.flatMap((record) => {
        const name = record === null ? "" : fullNameOf(JSON.parse(record.profile) as UserProfile);
        return record === null || name === "" ? [] : [{ user: record.id, name }];
      });
      return json(200, { names });
    },
  }),
];

async function acquainted(
  { presence }: Engine,
  actor: Actor,
  users: readonly string[],
): Promise<readonly string[]> {
  const found = await presence.get(actor, users);
  return users.filter((user, index) => user === actor.user || found[index]?.known === true);
}

import type { JsonItems } from "@chat21/engine";
import type { PeopleStore, UserRecord } from "@chat21/people";
import {
  byteLength,
  ChatError,
  limits,
  systemUser,
  toOutsideId,
  type User,
  type UserProfile,
  userProfileSchema,
  userSchema,
} from "@chat21/protocol";
import * as z from "zod";
import { limitParameter } from "../page-query.ts";
import { empty, json, jsonList } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import type { Services } from "../services.ts";

const userAnswer = { description: "The user.", schema: userSchema };

/** A stored user as REST shows it. */
export function userOf({ id, profile, createdAt, updatedAt }: UserRecord): User {
  const { fullname, ...rest } = JSON.parse(profile) as UserProfile;
  return {
    id,
    fullname: fullname ?? toOutsideId(id),
    ...withoutAbsent(rest),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** Stores a profile; the first time makes the user. */
export async function putUser(
  { store, clock }: Pick<Services, "clock" | "store">,
  app: string,
  id: string,
  profile: UserProfile,
): Promise<User> {
  if (id === systemUser) throw new ChatError("forbidden", `"${systemUser}" is nobody's user id`);
  const now = clock.now();
  const existing = await store.users.get(app, id);
  const record: UserRecord = {
    app,
    id,
    profile: JSON.stringify(profile),
    createdAt: existing?.createdAt ?? now,
    updatedAt: now,
  };
  await store.users.put(record);
  return userOf(record);
}

/** Users read at once. */
const stepUsers = 100;

/** A page of users within `limits.answerBytes`; ends with the id behind which the next page begins. */
async function* listUsers(
  users: PeopleStore["users"],
  app: string,
  {
    limit = limits.listDefault,
    after,
  }: { readonly limit?: number | undefined; readonly after?: string | undefined },
): JsonItems {
  let last = after;
  let bytes = 0;
  for (let left = limit; left > 0; ) {
    const step = Math.min(left, stepUsers);
    const records = await users.list(app, step, last);
    for (const record of records) {
      const text = JSON.stringify(userOf(record));
      bytes += byteLength(text);
      if (bytes > limits.answerBytes && last !== after) return last ?? null;
      yield text;
      last = record.id;
    }
    if (records.length < step) return null;
    left -= step;
  }
  return last ?? null;
}

/** Users of an app and their profiles. */
export const userRoutes: readonly Route[] = [
  defineRoute({
    id: "listUsers",
    api: "v1",
    method: "get",
    path: "/v1/{app}/users",
    who: "admin",
    summary: "Users, ascending by id. `next` is the `after` of the next page.",
    query: z.strictObject({
      limit: limitParameter,
      after: z
        .optional(z.string().max(limits.userIdBytes))
        .meta({ description: "`next` of the page before: only users behind this id." }),
    }),
    heavy: true,
    answers: {
      200: {
        description: "A page.",
        schema: z.object({ users: z.array(userSchema), next: z.nullable(z.string()) }).meta({ id: "Users" }),
      },
    },
    handle({ params, query }, { store }) {
      return jsonList(200, {
        before: '{"users":[',
        items: listUsers(store.users, params.app, query),
        after: (next) => `],"next":${JSON.stringify(next)}}`,
      });
    },
  }),
  defineRoute({
    id: "putUser",
    api: "v1",
    method: "put",
    path: "/v1/{app}/users/{user}",
    who: "self",
    summary: "Makes a user, or replaces the profile.",
    body: userProfileSchema,
    example: { body: { fullname: "Alice" } },
    answers: { 200: userAnswer },
    async handle({ params, body }, services) {
      return json(200, await putUser(services, params.app, params.user, body));
    },
  }),
  defineRoute({
    id: "getUser",
    api: "v1",
    method: "get",
    path: "/v1/{app}/users/{user}",
    who: "app",
    problems: ["not_found"],
    summary:
      "A user. The whole profile for oneself and admins, names and presence for who shares a conversation.",
    answers: { 200: userAnswer },
    async handle({ actor, params }, { store, engine }) {
      const { app, user } = params;
      const isClose = actor.admin || actor.user === user;
      const [presence] = await engine.presence.get(actor, [user]);
      const record = presence?.known === true ? await store.users.get(app, user) : null;
      if (record === null) throw new ChatError("not_found", "there is no such user");
      const { email: _email, attributes: _attributes, ...names } = userOf(record);
      return json(200, {
        ...(isClose ? userOf(record) : names),
        presence: presence?.online === true ? "online" : "offline",
        last_seen: presence?.lastSeen ?? 0,
      });
    },
  }),
  defineRoute({
    id: "deleteUser",
    api: "v1",
    method: "delete",
    path: "/v1/{app}/users/{user}",
    who: "self",
    summary:
      "Revokes every token of a user; removes profile, presence and push registrations. Messages stay.",
    answers: { 204: { description: "There is nothing left, or was nothing." } },
    async handle({ params }, { store, verifier }) {
      const { app, user } = params;
      await verifier.revoke({ app, user });
      await store.users.erase(app, user);
      return empty(204);
    },
  }),
];

function withoutAbsent<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Value;
}

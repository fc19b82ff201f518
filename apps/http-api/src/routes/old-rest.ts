import { ChatError, limits, readUserId } from "@chat21/protocol";
import * as z from "zod";
import { done, doneAnswer } from "../envelopes.ts";
import { json, plainText } from "../reply.ts";
import { type Caller, defineRoute, type Route } from "../route.ts";

const text = z.optional(z.nullable(z.string().max(limits.nameBytes)));

/** Calls of real backends that have no effect; each is answered so that nobody waits or logs an error. */
const withoutEffect = [
  ["createContact", "post", "/{app}/contacts", "app", "Contacts are looked up elsewhere; nothing is stored."],
  [
    "updateContact",
    "put",
    "/{app}/contacts/me",
    "app",
    "Contacts are looked up elsewhere; nothing is stored.",
  ],
  [
    "sendPush",
    "post",
    "/{app}/notify",
    "admin",
    "Push notifications are not configured here; nothing is sent.",
  ],
  [
    "pushWebhook",
    "post",
    "/{app}/push/webhook/endpoint/{endpoint}",
    "public",
    "Push notifications are not configured here; nothing is passed on.",
  ],
] as const satisfies readonly (readonly [string, "post" | "put" | "delete", string, Caller, string])[];

const typingCalls = [
  ["startTyping", "put", true, "Tells the others of a conversation that somebody types; an admin says who."],
  ["stopTyping", "delete", false, "Tells the others of a conversation that somebody stopped typing."],
] as const satisfies readonly (readonly [string, "put" | "delete", boolean, string])[];

/**
 * A notice that reaches nobody is no failure: backends send one before every message, whether or not there are members.
 */
function unlessRefused(thrown: unknown): void {
  if (!(thrown instanceof ChatError && ["invalid_id", "not_member", "rate_limited"].includes(thrown.code)))
    throw thrown;
}

const typingSchema = z.looseObject({ writer_id: z.optional(z.unknown()) }).meta({ id: "TypingNotice" });

/** The other routes of the existing API. */
export const oldRestRoutes: readonly Route[] = [
  defineRoute({
    id: "greet",
    api: "v0",
    method: "get",
    path: "/",
    at: "root",
    who: "public",
    summary: "Says what this is; probes of existing deployments look here.",
    answers: { 200: { description: "A sentence.", schema: z.string(), contentType: "text/plain" } },
    handle: () => plainText(200, "Chat21 Http Server v. 0.1.2"),
  }),
  defineRoute({
    id: "verifyToken",
    api: "v0",
    method: "get",
    path: "/verify",
    at: "root",
    who: "token",
    needs: "nothing",
    summary: "The claims of the token.",
    answers: {
      200: {
        description: "Claims.",
        schema: z.looseObject({ sub: z.string(), app_id: z.string() }).meta({ id: "Claims" }),
      },
    },
    handle: ({ actor }) => json(200, actor.claims),
  }),
  defineRoute({
    id: "getInfo",
    api: "v0",
    method: "get",
    path: "/{app}/getInfo",
    who: "app",
    needs: "nothing",
    summary: "Version of the API that existing clients know.",
    answers: {
      200: { description: "Version.", schema: z.object({ v: z.string() }).meta({ id: "Version" }) },
    },
    handle: () => json(200, { v: "0.2.34.2" }),
  }),
  defineRoute({
    id: "saveInstance",
    api: "v0",
    method: "post",
    path: "/{app}/{user}/instances/{instance}",
    who: "self",
    summary: "Stores a device's push registration.",
    body: z
      .object({ device_model: text, language: text, platform: text, platform_version: text })
      .meta({ id: "Instance" }),
    example: {
      body: { device_model: "Browser", language: "en", platform: "web/1", platform_version: "1.0" },
    },
    answers: { 200: doneAnswer },
    refusals: { failure: 404, denied: plainText(401, "Unauthorized.") },
    async handle({ params, body }, { store, clock }) {
      const { app, user, instance } = params;
      await store.instances.put({
        app,
        user,
        instanceId: instance,
        data: JSON.stringify(body),
        updatedAt: clock.now(),
      });
      return done;
    },
  }),
  ...typingCalls.map(([id, method, typing, summary]) =>
    defineRoute({
      id,
      api: "v0",
      method,
      path: "/{app}/typings/{conversWith}",
      who: "app",
      needs: "send",
      summary,
      body: typingSchema,
      example: { body: { writer_id: "bob", text: "Hel", timestamp: 1 } },
      answers: { 200: doneAnswer },
      async handle({ actor, params, body }, { engine }) {
        const named = typeof body.writer_id === "string" ? readUserId(body.writer_id) : null;
        const writer = actor.admin && named !== null ? { user: named } : {};
        const notice = { conversWith: params.conversWith, typing, ...writer };
        await engine.presence.typing(actor, notice).catch(unlessRefused);
        return done;
      },
    }),
  ),
  ...withoutEffect.map(([id, method, path, who, summary]) =>
    defineRoute({
      id,
      api: "v0",
      method,
      path,
      who,
      summary,
      answers: { 200: doneAnswer },
      handle: () => done,
    }),
  ),
];

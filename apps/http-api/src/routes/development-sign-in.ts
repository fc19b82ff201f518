import { ChatError, limits, outsideUserIdSchema, tokenResponseSchema, toOutsideId } from "@chat21/protocol";
import { isSameToken } from "@chat21/runtime";
import * as z from "zod";
import { isLocalRequest } from "../local-request.ts";
import { json } from "../reply.ts";
import { defineRoute } from "../route.ts";
import { tokenResponse } from "./tokens.ts";
import { putUser, userOf } from "./users.ts";

/** Signing in by name alone. In the table only where development sign-in is switched on. */
export const developmentSignInRoute = defineRoute({
  id: "signInForDevelopment",
  api: "v1",
  method: "post",
  path: "/v1/{app}/signin/development",
  who: "local",
  problems: ["forbidden", "not_found"],
  summary: "A strict token for whoever asks, made on this machine for trying things out. Never for admins.",
  body: z
    .strictObject({
      user: outsideUserIdSchema,
      fullname: z.optional(z.string().min(1).max(limits.nameBytes)),
      key: z.optional(z.string().max(256)).meta({
        description:
          "The end of the address that the server printed when it started; also the file `sign-in-key`.",
      }),
    })
    .meta({ id: "DevelopmentSignIn" }),
  example: { body: { user: "alice", fullname: "Alice", key: "3q2-7wAAAAAAAAAAAAAAAA" } },
  answers: {
    201: {
      description: "The token and the user's name.",
      schema: z
        .looseObject({
          ...tokenResponseSchema.shape,
          expires_at: z.int().meta({ description: "Milliseconds since 1970." }),
          fullname: z.string(),
        })
        .meta({ id: "SignedIn" }),
    },
  },
  async handle({ params, body, http }, services) {
    const { store, tokens, verifier, config } = services;
    const { app } = params;
    const isServed = config.apps === null || config.apps.includes(app);
    // Answers as for an unknown path: callers that may not sign in need not know that others may.
    if (!isLocalRequest(http) || !isServed) throw new ChatError("not_found", "there is no such path");
    // A proxy on this machine that names no client looks like the machine itself, so the address alone proves nothing.
    if (config.signInKey === null || !isSameToken(body.key ?? "", config.signInKey))
      throw new ChatError(
        "forbidden",
        "the sign-in key is missing or wrong: it is the end of the address that the server printed when it started",
      );
    const user = toOutsideId(body.user);
    const issued = tokens.issue({ app, user, issuedAt: verifier.nextIssueAt(app, body.user) });
    const existing = await store.users.get(app, body.user);
    const known = existing === null ? undefined : userOf(existing);
    const fullname = body.fullname ?? known?.fullname ?? user;
    if (known?.fullname !== fullname) {
      const profile = existing === null ? {} : (JSON.parse(existing.profile) as object);
      await putUser(services, app, body.user, { ...profile, fullname });
    }
    return json(201, { ...tokenResponse(issued), fullname });
  },
});

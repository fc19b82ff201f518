import type { ServerKeyRecord } from "@chat21/auth";
import type { Log } from "@chat21/engine";
import type { DeliveryLog } from "@chat21/events";
import { type EraseUserParts, eraseUser } from "@chat21/people";
import { ChatError, isId, toOutsideId, toWireId } from "@chat21/protocol";
import { operatorApp } from "@chat21/runtime";
import express, { type NextFunction, type Request, type Response, type Router } from "express";
import * as z from "zod";
import { compressAnswers } from "./compress-answers.ts";
import { findToken } from "./find-token.ts";
import { permits } from "./permits.ts";
import { refuse } from "./refusal.ts";
import { sendReply } from "./reply.ts";
import { type CallerParts, verifyCaller } from "./verify-caller.ts";

/** Options of {@link operatorApi}. */
export interface OperatorApiOptions extends Omit<EraseUserParts, "verifier" | "webhooks">, CallerParts {
  readonly log: Log;
  readonly webhooks: OperatorWebhooks;
}

/** Webhooks as operators see them and act on them. */
export interface OperatorWebhooks {
  readonly log: DeliveryLog;
  describe(): WebhooksDescription;
  /**
   * Sends a test event and waits for the answer. Throws `not_found` when there is no such endpoint.
   * @param url the first by default
   */
  test(app: string, url?: string): Promise<TestedEndpoint>;
}

/** Description of webhooks, without secrets. */
export interface WebhooksDescription {
  readonly enabled: boolean;
  readonly endpoints: readonly string[];
  readonly events: readonly string[];
}

/** The outcome of a test event. */
export interface TestedEndpoint {
  readonly id: string;
  readonly delivered: boolean;
  /** HTTP status; `null` when there was no answer. */
  readonly status: number | null;
  /** Why it was not delivered, in one line. */
  readonly error: string | null;
}

/** Webhook events that one request may replay, and the longest id of one. */
const replay = { events: 1_000, idCharacters: 200 };

/** Largest body: a replay of the most events, with room to spare. */
const bodyBytes = 256 * 1024;

const logQuerySchema = z.object({
  endpoint: z.optional(z.string()),
  state: z.optional(z.enum(["pending", "delivered", "dead"])),
  event: z.optional(z.string()),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, "expected a whole number, 1 to 1000")
    .transform(Number)
    .pipe(z.int().min(1).max(1_000))
    .optional(),
});
const skipSchema = z.strictObject({
  ids: z.array(z.string().max(replay.idCharacters)).min(1).max(replay.events),
});
const replaySchema = z.union([skipSchema, z.strictObject({ deadOf: z.string() })]);
const retrySchema = z.strictObject({ endpoint: z.string() });
const keySchema = z.strictObject({
  user: z.string(),
  /** Milliseconds. */
  expiresAt: z.optional(z.int()),
});
const testSchema = z.strictObject({ url: z.optional(z.string()), app: z.string().refine(isId) });

/**
 * The paths for commands to a running server that REST does not have: webhooks, server keys and erasure. JSON in, JSON out. They are
 * for tokens of the app `operatorApp` with the role of an admin; an app's own admins do not get in.
 */
export function operatorApi(options: OperatorApiOptions): Router {
  const { webhooks, serverKeys, log } = options;
  const router = express.Router();
  router.use(requireOperator(options), express.json({ limit: bodyBytes }), compressAnswers());
  router.get("/webhooks", (_request, response) => void response.json(webhooks.describe()));
  router.get("/webhooks/log", async (request, response) => {
    const { limit = 20, ...query } = parse(logQuerySchema, request.query);
    response.json(await webhooks.log.list({ ...definedOf(query), limit }));
  });
  router.post("/webhooks/replay", async (request, response) => {
    response.json({ replayed: await webhooks.log.replay(parse(replaySchema, request.body)) });
  });
  router.post("/webhooks/skip", async (request, response) => {
    response.json({ skipped: await webhooks.log.skip(parse(skipSchema, request.body).ids) });
  });
  router.post("/webhooks/retry", async (request, response) => {
    response.json({ retried: await webhooks.log.retry(parse(retrySchema, request.body).endpoint) });
  });
  router.post("/webhooks/test", async (request, response) => {
    const { url, app } = parse(testSchema, request.body);
    response.json(await webhooks.test(app, url));
  });
  router.get("/apps/:app/keys", async (request, response) => {
    response.json({ keys: (await serverKeys.list(request.params.app)).map(describeKey) });
  });
  router.post("/apps/:app/keys", async (request, response) => {
    const { app } = request.params;
    const { key, record } = await serverKeys.create({ app, ...definedOf(parse(keySchema, request.body)) });
    log.info({ app, id: record.id, user: record.user }, "a server key was made");
    response
      .status(201)
      .set("cache-control", "no-store")
      .json({ ...describeKey(record), key });
  });
  router.delete("/apps/:app/keys/:id", async (request, response) => {
    const { app, id } = request.params;
    await serverKeys.revoke(app, id);
    log.info({ app, id }, "a server key was revoked");
    response.status(204).end();
  });
  router.post("/apps/:app/users/:user/erase", async (request, response) => {
    const { app, user } = request.params;
    const wireId = toWireId(user);
    if (!isId(app) || wireId === null) throw new ChatError("invalid_id");
    const parts = { ...options, webhooks: webhooks.log };
    response.json(await eraseUser(parts, { app, user: "system", admin: true }, wireId));
  });
  router.use(() => {
    throw new ChatError("not_found", "there is no such path");
  });
  router.use(sendProblem);
  return router;
}

/** A server key as operators see it. `user`: the id as it is outside. */
export type ServerKeyDescription = Omit<ServerKeyRecord, "hash">;

function describeKey({ hash: _hash, user, ...key }: ServerKeyRecord): ServerKeyDescription {
  return { ...key, user: toOutsideId(user) };
}

function requireOperator(parts: CallerParts) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const identity = await verifyCaller(parts, findToken(request, { fromQuery: false }), request, response);
    if (identity.app !== operatorApp || !identity.admin || !permits(identity, "everything")) {
      throw new ChatError(
        "forbidden",
        `this needs an operator's token: an admin's of the app ${operatorApp}`,
      );
    }
    next();
  };
}

function parse<Value>(schema: z.ZodType<Value>, input: unknown): Value {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ChatError("bad_request", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}`);
}

/** The object without keys whose value is undefined. */
function definedOf<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}

function sendProblem(thrown: unknown, _request: Request, response: Response, _next: NextFunction): void {
  const isBodyError = thrown instanceof Error && "type" in thrown && "status" in thrown;
  const error = isBodyError ? new ChatError("bad_request", thrown.message) : ChatError.fromUnknown(thrown);
  sendReply(response, refuse("operations", error));
}

import type { VerifiedToken } from "@chat21/auth";
import type { Log } from "@chat21/engine";
import { ChatError, errorCodes } from "@chat21/protocol";
import type { Request, Response } from "express";
import * as z from "zod";
import { authorize } from "./authorize.ts";
import { check, checkParams, oldSentence, readParams, sentence } from "./check-input.ts";
import { errorPage } from "./error-page.ts";
import { findToken } from "./find-token.ts";
import type { HeavyGate } from "./heavy-gate.ts";
import type { RateGates } from "./rate-gates.ts";
import { readJson, readText, UnreadableBody } from "./read-body.ts";
import { refuse, refuseDenied, refuseNonAdmin, refuseOutOfScope } from "./refusal.ts";
import type { NoteRefusal } from "./refusal-lines.ts";
import { type ListReply, outsideList, outsideReply, type Reply, sendReply } from "./reply.ts";
import { callers, type Route } from "./route.ts";
import { disconnectStalled, sendList } from "./send-list.ts";
import type { Services } from "./services.ts";
import { verifyCaller } from "./verify-caller.ts";

/** The gates that hold requests back. */
export interface Gates {
  readonly rate: RateGates;
  readonly heavy: HeavyGate;
}

/** A parameter that is not known is a mistake: without a word, a list would come with other bounds than meant. */
const noQuery = z.strictObject({});

/** Makes the express handler of a line of the table: every request goes through the same steps, in this order. */
export function serveRoute(route: Route, services: Services, gates: Gates, log: Log, note: NoteRefusal) {
  return async (request: Request, response: Response): Promise<void> => {
    response.locals["route"] = route.id;
    // One person's data, and tokens: no cache on the way may keep them. Existing paths keep the headers they have
    // always had.
    if (route.api === "v1") response.set("cache-control", "no-store");
    try {
      const reply = await answer(route, services, gates, request, response, note);
      if (reply === undefined) return;
      if ("list" in reply) {
        await sendList(response, route.api === "v1" ? outsideList(reply) : reply);
      } else {
        if (route.heavy === true) disconnectStalled(response);
        sendReply(response, route.api === "v1" ? outsideReply(reply) : reply);
      }
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      if (errorCodes[error.code].status >= 500)
        log.error({ err: thrown, route: route.id }, "a request failed");
      note(route.id, error.code, error.message);
      if (response.headersSent) response.destroy();
      else sendReply(response, replyTo(route, error));
    } finally {
      gates.heavy.leave(response);
    }
  };
}

/** `undefined`: the caller has left. */
async function answer(
  route: Route,
  services: Services,
  gates: Gates,
  request: Request,
  response: Response,
  note: NoteRefusal,
): Promise<ListReply | Reply | undefined> {
  const params = readParams(request.params as Readonly<Record<string, string>>, route.api);
  const actor = await authenticate(route, services, gates.rate, request, response);
  await gates.rate.request(request, response, actor);
  if (actor !== undefined) {
    const verdict = authorize(route, actor, params, services.config.apps);
    if (verdict === "out-of-scope") {
      note(route.id, "forbidden", "the token's scopes do not cover the route");
      return refuseOutOfScope(route.api, route.refusals);
    }
    if (verdict !== "allowed") note(route.id, "forbidden", `the route is for ${callers[route.who]}`);
    if (verdict === "denied") return refuseDenied(route.api, route.refusals);
    if (verdict === "not-admin") return refuseNonAdmin(route.api);
  }
  checkParams(params);
  const describe = route.api === "v0" ? oldSentence : sentence;
  const querySchema = route.query ?? (route.api === "v1" && actor !== undefined ? noQuery : undefined);
  const query = querySchema === undefined ? undefined : check(querySchema, request.query, describe);
  const text = route.text === undefined ? "" : await readText(request, response, route);
  const body =
    route.body === undefined
      ? undefined
      : check(route.body, await readJson(request, response, route), describe);
  if (route.heavy === true && !(await gates.heavy.enter(heavyKey(actor, params), response))) return undefined;
  return route.handle({ actor: actor as VerifiedToken, params, query, body, text, http: request }, services);
}

/**
 * The key whose places a request takes. An admin has separate places for each user it reads for, and never takes that
 * user's own.
 */
function heavyKey(actor: VerifiedToken | undefined, params: Readonly<Record<string, string>>): string {
  return `${actor?.app}/${actor?.user}/${params["user"] ?? actor?.user}`;
}

async function authenticate(
  route: Route,
  services: Services,
  gates: RateGates,
  request: Request,
  response: Response,
): Promise<VerifiedToken | undefined> {
  if (route.who === "public") return undefined;
  if (route.who === "local") {
    await gates.signIn(request, response);
    return undefined;
  }
  const token = findToken(request, { fromQuery: route.api === "v0" });
  return verifyCaller(services, token, request, response);
}

function replyTo(route: Route, error: ChatError): Reply {
  if (route.api === "v0" && error instanceof UnreadableBody) return errorPage(400);
  return refuse(route.api, error, route.refusals);
}

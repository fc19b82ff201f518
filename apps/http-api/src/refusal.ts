import { ChatError, type ErrorCode, errorCodes } from "@chat21/protocol";
import { errorPage } from "./error-page.ts";
import { empty, json, plainText, type Reply } from "./reply.ts";

/** The API whose form a route follows: the existing one, the new one, or the operators'. */
export type ApiKind = "v0" | "v1" | "operations";

/** Refusals in which a route of the existing API differs from the others. */
export interface Refusals {
  /** Status of a failure of the server or its store. @default 500 */
  readonly failure?: number;
  /** A token of another app or user. @default 401 without a body */
  readonly denied?: Reply;
  readonly byCode?: Partial<Readonly<Record<ErrorCode, Reply>>>;
}

/** The reply to an error, in the form of the API that was called. */
export function refuse(api: ApiKind, thrown: unknown, refusals: Refusals = {}): Reply {
  const error = ChatError.fromUnknown(thrown);
  const reply = api === "v0" ? refuseOld(error, refusals) : problem(error);
  return { ...reply, headers: { ...retryAfter(error), ...reply.headers } };
}

/** RFC 9457, with the permanent `code`. */
function problem(error: ChatError): Reply {
  const { status, title } = errorCodes[error.code];
  const body = {
    type: "about:blank",
    title,
    status,
    code: error.code,
    // Details of an internal failure go to the log, not to the caller.
    detail: status >= 500 ? title : error.message,
    ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
  };
  const challenge = status === 401 ? { "www-authenticate": 'Bearer realm="chat21"' } : {};
  return { ...json(status, body, challenge), type: "application/problem+json; charset=utf-8" };
}

/** The existing API's answer without a good token, and on an admin's route without an admin's token. */
const unauthorized = json(403, { success: false, msg: "Unauthorized." });

/** The existing API's answer for somebody without the right. */
const permissionDenied = json(401, { success: false, err: "Permission denied" });

function refuseOld(error: ChatError, { failure = 500, byCode = {} }: Refusals): Reply {
  const own = byCode[error.code];
  if (own !== undefined) return own;
  const { status, title } = errorCodes[error.code];
  switch (error.code) {
    case "bad_request":
    case "invalid_id":
      return plainText(405, error.message);
    case "payload_too_large":
      return errorPage(413);
    case "unauthorized":
    case "token_expired":
    case "token_revoked":
      return unauthorized;
    case "forbidden":
    case "not_member":
      return permissionDenied;
    case "not_found":
      return json(404, { success: false, err: "Not found" });
    case "internal":
    case "store_unavailable":
    case "timeout":
      return json(failure, { success: false, err: title });
    default:
      return json(status, { success: false, err: title });
  }
}

/** A good token that is not the right one for this path. */
export function refuseDenied(api: ApiKind, { denied = empty(401) }: Refusals = {}): Reply {
  return api === "v0" ? denied : problem(new ChatError("forbidden"));
}

/** A good token whose scopes are for something else. */
export function refuseOutOfScope(api: ApiKind, refusals: Refusals = {}): Reply {
  if (api === "v0") return refuseDenied(api, refusals);
  return problem(new ChatError("forbidden", "the token's scopes do not cover this"));
}

/** A good token of somebody who is no admin, on an admin's route. */
export function refuseNonAdmin(api: ApiKind): Reply {
  return api === "v0" ? unauthorized : problem(new ChatError("forbidden", "only an admin may do that"));
}

function retryAfter({ code, retryAfterMs }: ChatError): Readonly<Record<string, string>> {
  const waitMs = retryAfterMs ?? (errorCodes[code].status === 503 ? 1_000 : undefined);
  return waitMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) };
}

/**
 * Every code of an answer, a REST problem or a thrown {@link ChatError}. Codes are permanent. `retryable`: the same
 * request may succeed later without being changed. `status`: of a `/api/v1` answer.
 */
export const errorCodes = {
  already_member: { status: 409, retryable: false, title: "The user is already a member" },
  bad_request: { status: 400, retryable: false, title: "The request is malformed" },
  conflict: { status: 409, retryable: false, title: "It exists with other data" },
  connection_lost: { status: 503, retryable: true, title: "The connection was lost" },
  forbidden: { status: 403, retryable: false, title: "This token may not do that" },
  idempotency_conflict: { status: 409, retryable: false, title: "The id was used already" },
  internal: { status: 500, retryable: true, title: "The server failed" },
  invalid_cursor: { status: 400, retryable: false, title: "The cursor is not valid" },
  invalid_id: { status: 400, retryable: false, title: "An id is not valid" },
  method_not_allowed: { status: 405, retryable: false, title: "The method is not allowed" },
  not_found: { status: 404, retryable: false, title: "There is no such thing" },
  not_member: { status: 403, retryable: false, title: "Only members may do that" },
  payload_too_large: { status: 413, retryable: false, title: "The payload is too large" },
  rate_limited: { status: 429, retryable: true, title: "Too many requests" },
  shutting_down: { status: 503, retryable: true, title: "The server is stopping" },
  storage_full: { status: 507, retryable: true, title: "The server has no room for more" },
  store_unavailable: { status: 503, retryable: true, title: "The store does not answer" },
  taken_over: { status: 503, retryable: true, title: "Another connection uses this client id" },
  timeout: { status: 504, retryable: true, title: "No answer in time" },
  token_expired: { status: 401, retryable: false, title: "The token has expired" },
  token_revoked: { status: 401, retryable: false, title: "The token was revoked" },
  unauthorized: { status: 401, retryable: false, title: "The token is missing or not valid" },
  unsupported: { status: 501, retryable: false, title: "This is not supported" },
  unsupported_media_type: { status: 415, retryable: false, title: "The media type is not allowed" },
} as const;

/** A key of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** Whether `value` is a code of this version. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}

/** Optional facts of a {@link ChatError}. */
export interface ChatErrorOptions {
  readonly cause?: unknown;
  /** Time to wait before trying again. */
  readonly retryAfterMs?: number;
}

/** The only error class of all packages: a permanent code, whether to retry, and the cause if known. */
export class ChatError extends Error {
  override readonly name = "ChatError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string = errorCodes[code].title, options: ChatErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same request may succeed later without being changed. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  /** Makes a typed error from any thrown value: a `ChatError` stays as it is, anything else becomes `internal`. */
  static fromUnknown(thrown: unknown): ChatError {
    if (thrown instanceof ChatError) return thrown;
    // An object may have no text at all: `String(Object.create(null))` throws.
    const text = typeof thrown === "object" ? errorCodes.internal.title : String(thrown);
    return new ChatError("internal", thrown instanceof Error ? thrown.message : text, { cause: thrown });
  }
}

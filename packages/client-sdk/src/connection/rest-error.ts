import type { ErrorCode } from "@chat21/protocol";
import { ChatError, errorCodes, isErrorCode } from "@chat21/protocol";

const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  400: "bad_request",
  405: "bad_request",
  408: "timeout",
  409: "conflict",
  413: "payload_too_large",
  429: "rate_limited",
  501: "unsupported",
};

// Answers of the paths that existed before `/api/v1` have no code, only words.
const codesByWord: readonly (readonly [RegExp, ErrorCode])[] = [
  [/already a member/i, "already_member"],
  [/same members|already exists/i, "conflict"],
  [/not found|doesn't exist/i, "not_found"],
  [/not allowed|permission denied|^unauthorized$/i, "forbidden"],
  [/unauthorized\./i, "unauthorized"],
];

/**
 * The error of an answer that is not a success: problem+json, an answer in the old shape, or only a status. Only an
 * answer in one of our own shapes says something of the user, the token or the path; any other with such a status comes
 * from a proxy or another server, and is `connection_lost`.
 */
export async function errorOf(response: Response): Promise<ChatError> {
  const { status } = response;
  const body = parseObject(await response.text().catch(() => ""));
  const words = [body?.["detail"], body?.["title"], ...wordsIn(body?.["err"]), body?.["msg"]].find(isText);
  return new ChatError(
    codeOf(status, body?.["code"], words),
    words ?? `no Chat21 server at ${response.url}: it answered ${status}`,
    retryAfter(response, body),
  );
}

function codeOf(status: number, code: unknown, words = ""): ErrorCode {
  if (status >= 500 && status !== 501)
    return isErrorCode(code) && errorCodes[code].retryable ? code : "internal";
  if (isErrorCode(code)) return code;
  const worded = codesByWord.find(([pattern]) => pattern.test(words))?.[1];
  return worded ?? codesByStatus[status] ?? (words ? "bad_request" : "connection_lost");
}

function retryAfter(
  response: Response,
  body: Record<string, unknown> | undefined,
): { retryAfterMs?: number } {
  const given = body?.["retry_after_ms"];
  if (typeof given === "number") return { retryAfterMs: given };
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {};
}

function wordsIn(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "err" || key === "message" ? wordsIn(inner) : [],
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

import { randomUUID } from "node:crypto";
import { createTokens } from "@chat21/auth";
import { ChatError, isErrorCode } from "@chat21/protocol";
import { codeOf, OperatorError, systemClock } from "@chat21/runtime";
import { loadConfig } from "./config.ts";
import { readRunningServer } from "./data-folder.ts";
import { operatorApp, operatorPath } from "./operator-paths.ts";
import { findTokenSecret } from "./secret.ts";

/** Options of every command that talks to a server. */
export interface ServerOptions {
  readonly app: string;
  readonly dataDir?: string;
  /** Address of the server; `undefined`: the one in the data folder, else the default address. */
  readonly url?: string;
}

/** A server that commands may talk to, and the secret for its tokens. */
export interface ServerAccess {
  /** Without a slash at the end. */
  readonly url: string;
  readonly app: string;
  /** A token of one hour. */
  token(user: string): string;
  /** Calls REST as an admin. `path` begins after `/api/`. Throws `OperatorError` when no server answers. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Calls the operator's paths; `path` begins after `/operator/`. Throws as {@link ServerAccess.call}. */
  operate(method: string, path: string, body?: unknown): Promise<unknown>;
}

/** Name under which commands act as admin. */
const operator = "chat21-cli";

/** Finds the server and the secret. Throws `OperatorError` when there is no secret. */
export function accessServer(options: ServerOptions): ServerAccess {
  const { config } = loadConfig({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.url === undefined ? {} : { serverUrl: options.url }),
  });
  const secret = findTokenSecret(config.dataDir, config.secret);
  if (secret === undefined) {
    throw new OperatorError(
      `${config.dataDir}: there is no secret of a server here; start one with "chat21 start", or give its folder with --data-dir`,
    );
  }
  const found = config.serverUrl ?? readRunningServer(config.dataDir)?.url ?? "http://127.0.0.1:8010";
  const url = found.replace(/\/+$/, "");
  const tokens = createTokens({ secret, clock: systemClock, newId: randomUUID });
  const adminToken = (app: string) => tokens.issue({ app, user: operator, admin: true }).token;
  return {
    url,
    app: options.app,
    token: (user) => tokens.issue({ app: options.app, user }).token,
    call: (method, path, body) => request(url, adminToken(options.app), method, `/api/${path}`, body),
    operate: (method, path, body) =>
      request(url, adminToken(operatorApp), method, `${operatorPath}/${path}`, body),
  };
}

async function request(
  url: string,
  token: string,
  method: string,
  path: string,
  body: unknown,
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw unreachable(url, cause);
  }
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
  const answer: unknown = isJson && text !== "" ? JSON.parse(text) : text;
  if (response.ok) return answer;
  throw refusal(response.status, answer);
}

/** The error when no server listens there, or one that does not speak HTTP. */
function unreachable(url: string, cause: unknown): OperatorError {
  const reason = codeOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
  return new OperatorError(
    `no server answers at ${url} (${reason}); start one with "chat21 start", or give its address with --url`,
    { cause },
  );
}

/** The server's refusal as an error: problem+json of `/api/v1`, or one of the shapes of the older paths. */
function refusal(status: number, answer: unknown): Error {
  if (typeof answer !== "object" || answer === null) {
    return new OperatorError(`the server refused: ${status} ${String(answer).slice(0, 200)}`.trimEnd());
  }
  const problem = answer as Record<string, unknown>;
  const detail = [problem["detail"], problem["title"], problem["err"], problem["msg"]].find(
    (text): text is string => typeof text === "string" && text !== "",
  );
  const code = problem["code"];
  if (isErrorCode(code)) return new ChatError(code, detail);
  return new OperatorError(
    `the server refused: ${status} ${detail ?? JSON.stringify(problem).slice(0, 200)}`,
  );
}

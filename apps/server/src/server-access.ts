import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { createTokens, looksLikeServerKey } from "@chat21/auth";
import { ChatError, isErrorCode } from "@chat21/protocol";
import { codeOf, OperatorError, operatorApp, operatorPath, systemClock } from "@chat21/runtime";
import { loadConfig } from "./config.ts";
import { readRunningServer } from "./data-folder.ts";
import { findTokenSecret } from "./secret.ts";

/** Options of every command that talks to a server. */
export interface ServerOptions {
  readonly app: string;
  readonly dataDir?: string;
  /** Address of the server; `undefined`: the one in the data folder, else the default address. */
  readonly url?: string;
  /** Used in place of tokens that are made from the secret. */
  readonly token?: string;
  /** Results as JSON. */
  readonly json?: boolean;
}

/** A server that commands may talk to, and tokens for it. */
export interface ServerAccess {
  /** Without a slash at the end. */
  readonly url: string;
  readonly app: string;
  /** A token of one hour. Throws `OperatorError` when the given token may not act for this user. */
  token(user: string): Promise<string>;
  /** Calls REST as an admin, or with the given token. `path` begins after `/api/`. Throws `OperatorError` when no server answers. */
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
    ...(options.token === undefined ? {} : { cliToken: options.token }),
  });
  const found = config.serverUrl ?? readRunningServer(config.dataDir)?.url ?? "http://127.0.0.1:8010";
  const url = found.replace(/\/+$/, "");
  if (config.cliToken !== undefined) return withToken(url, options.app, config.cliToken);
  const secret = findTokenSecret(config.dataDir, config.secret);
  if (secret === undefined) {
    throw new OperatorError(
      `${config.dataDir}: there is no secret of a server here; start one with "chat21 start", give its folder with --data-dir, or a token with --token`,
    );
  }
  const tokens = createTokens({ secret, clock: systemClock, newId: randomUUID });
  const adminToken = (app: string) => tokens.issue({ app, user: operator, admin: true }).token;
  return {
    url,
    app: options.app,
    token: async (user) => tokens.issue({ app: options.app, user }).token,
    call: (method, path, body) => request(url, adminToken(options.app), method, `/api/${path}`, body),
    operate: (method, path, body) =>
      request(url, adminToken(operatorApp), method, `${operatorPath}/${path}`, body),
  };
}

/** Access by a token alone, for servers whose secret is elsewhere. */
function withToken(url: string, app: string, token: string): ServerAccess {
  const call = (method: string, path: string, body?: unknown) =>
    request(url, token, method, `/api/${path}`, body);
  return {
    url,
    app,
    call,
    operate: (method, path, body) => request(url, token, method, `${operatorPath}/${path}`, body),
    async token(user) {
      if (!looksLikeServerKey(token) && subjectOf(token) === user) return token;
      const path = `v1/${encodeURIComponent(app)}/users/${encodeURIComponent(user)}/tokens`;
      const issued = (await call("POST", path, {})) as { readonly token: string };
      return issued.token;
    },
  };
}

/** The user of a token, unverified: the server is asked in any case. */
function subjectOf(token: string): unknown {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return (claims as { readonly sub?: unknown }).sub;
  } catch {
    throw new OperatorError(
      "--token: expected a server key (c21_…) or a JSON Web Token (three parts, with dots between them)",
    );
  }
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
  const type = response.headers.get("content-type") ?? "";
  const answer = /[/+]json\b/.test(type) ? parseAnswer(await response.text()) : undefined;
  if (response.ok && (answer !== undefined || response.status === 204)) return answer;
  if (typeof answer === "object" && answer !== null) throw refusal(response.status, answer);
  const what = `${method} ${path.replace(/\?.*/, "")} was answered with ${response.status} ${STATUS_CODES[response.status] ?? ""}`;
  throw new OperatorError(`no Chat21 server at ${url}, or not of this version: ${what.trimEnd()}`);
}

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
function refusal(status: number, answer: object): Error {
  const problem = answer as Record<string, unknown>;
  const detail = [problem["detail"], problem["title"], problem["err"], problem["msg"]].find(
    (text): text is string => typeof text === "string" && text !== "",
  );
  const code = problem["code"];
  if (isErrorCode(code)) return new ChatError(code, detail);
  return new OperatorError(`the server refused: ${status} ${detail ?? STATUS_CODES[status] ?? ""}`.trimEnd());
}

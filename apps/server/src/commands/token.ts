import { randomUUID } from "node:crypto";
import { createTokens } from "@chat21/auth";
import { OperatorError, systemClock } from "@chat21/runtime";
import { loadConfig } from "../config.ts";
import { dataPaths } from "../data-folder.ts";
import { parseDuration } from "../duration.ts";
import { localTime, printAside, printJson, printLine } from "../output.ts";
import { findTokenSecret } from "../secret.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 token`. */
export interface TokenOptions {
  readonly admin?: boolean;
  readonly ttl?: string;
  readonly clientId?: string;
  readonly app: string;
  readonly profile: "strict" | "compat";
  readonly json?: boolean;
  readonly dataDir?: string;
}

/** Options of `chat21 token revoke`. */
export interface RevokeOptions extends ServerOptions {
  readonly id?: string;
}

/** Revokes one token of a user, or all that were issued until now. Live connections are closed. */
export async function revokeTokens(user: string, options: RevokeOptions): Promise<void> {
  const { app, id } = options;
  const path = `v1/${encodeURIComponent(app)}/users/${encodeURIComponent(user)}/tokens/revoke`;
  await accessServer(options).call("POST", path, id === undefined ? {} : { token_id: id });
  if (options.json === true) return printJson({ user, revoked: id ?? "all" });
  printLine(id === undefined ? `revoked every token of ${user} until now` : `revoked ${id} of ${user}`);
}

/** Prints a token made with the data folder's secret. */
export async function token(user: string, options: TokenOptions): Promise<void> {
  const { dataDir, ttl, clientId, profile } = options;
  const { config } = loadConfig(dataDir === undefined ? {} : { dataDir });
  const secret = findTokenSecret(config.dataDir, config.secret);
  if (secret === undefined) {
    throw new OperatorError(
      `${dataPaths(config.dataDir).secret}: there is no secret yet; start the server once, or give its folder with --data-dir`,
    );
  }
  if (clientId !== undefined && profile === "compat") {
    throw new OperatorError(
      "--client-id: only a strict token is for one client id; leave it out or --profile compat",
    );
  }
  const issued = createTokens({ secret, clock: systemClock, newId: randomUUID }).issue({
    app: options.app,
    user,
    admin: options.admin === true,
    profile,
    ...(ttl === undefined ? {} : { ttlMs: parseDuration("--ttl", ttl) }),
    ...(clientId === undefined ? {} : { clientId }),
  });
  if (options.json === true) return printJson(issued);
  if (process.stderr.isTTY) {
    const bound = profile === "strict" ? `, for client id ${issued.clientId}` : "";
    printAside(`${user} in ${issued.app}, until ${localTime(issued.expiresAt)}${bound}:`);
  }
  printLine(issued.token);
}

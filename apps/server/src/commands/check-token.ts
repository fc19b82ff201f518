import { randomUUID } from "node:crypto";
import { text as textOf } from "node:stream/consumers";
import { createTokens, tokenRefusal, type VerifiedToken, verifySigned } from "@chat21/auth";
import { createProvider, permits } from "@chat21/http-api";
import { ChatError, type ErrorCode } from "@chat21/protocol";
import { OperatorError, readProxies, readSigningKeys, systemClock } from "@chat21/runtime";
import { loadConfig } from "../config.ts";
import { dataPaths } from "../data-folder.ts";
import { localTime, printJson, printTable } from "../output.ts";
import { findTokenSecret } from "../secret.ts";

/** Options of `chat21 token check`. */
export interface CheckTokenOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** The answer of a server with this configuration to a token. */
type Checked =
  | { readonly accepted: true; readonly token: VerifiedToken }
  | { readonly accepted: false; readonly code: ErrorCode; readonly reason: string };

/**
 * Says what a server with the settings of this machine does with a token, and which rule it fails. It asks no server,
 * so it knows nothing of revocations. Fails when the token is refused.
 */
export async function checkToken(given: string, options: CheckTokenOptions): Promise<void> {
  const { config } = loadConfig(options.dataDir === undefined ? {} : { dataDir: options.dataDir });
  const secret = findTokenSecret(config.dataDir, config.secret);
  if (secret === undefined) {
    throw new OperatorError(
      `${dataPaths(config.dataDir).secret}: there is no secret to check with; give the server's folder with --data-dir, or set CHAT21_JWT_SECRET`,
    );
  }
  const es256 = config.keysDir === undefined ? [] : readSigningKeys("CHAT21_JWT_KEYS_DIR", config.keysDir);
  const tokens = createTokens({
    ...{ secret, es256, clock: systemClock, newId: randomUUID },
    acceptWithoutExp: config.tokensWithoutExp,
  });
  const text = (given === "-" ? await textOf(process.stdin) : given).trim().replace(/^bearer\s+/i, "");
  const proxies = readProxies(config.proxies);
  const provider = createProvider(config.identityProvider, { proxies, clock: systemClock });
  const checked = await check(() => verifySigned({ tokens, provider }, text), config.apps);
  if (options.json === true) printJson(checked.accepted ? described(checked.token) : checked);
  if (!checked.accepted) throw new OperatorError(`refused (${checked.code}): ${checked.reason}`);
  if (options.json === true) return;
  printTable(
    [
      { title: "", value: ([label]) => label },
      { title: "", value: ([, value]) => value },
    ],
    rowsOf(checked.token),
  );
}

async function check(
  verify: () => Promise<VerifiedToken>,
  apps: readonly string[] | undefined,
): Promise<Checked> {
  try {
    const token = await verify();
    if (apps === undefined || apps.includes(token.app)) return { accepted: true, token };
    return { accepted: false, code: "forbidden", reason: "app_id names none of the apps in CHAT21_APPS" };
  } catch (thrown) {
    if (!(thrown instanceof ChatError)) throw thrown;
    return { accepted: false, code: thrown.code, reason: tokenRefusal(thrown) };
  }
}

function described(token: VerifiedToken) {
  const { app, user, admin, profile, clientId, tokenId, issuedAt, expiresAt } = token;
  const expires = expiresAt === Number.MAX_SAFE_INTEGER ? null : expiresAt;
  const opens = (["read", "send", "write"] as const).filter((need) => permits(token, need));
  return {
    accepted: true,
    app,
    user,
    admin,
    profile,
    clientId,
    tokenId,
    issuedAt,
    expiresAt: expires,
    opens,
  };
}

function rowsOf(token: VerifiedToken): readonly (readonly [label: string, value: string])[] {
  const { app, user, admin, profile, clientId, tokenId, issuedAt, expiresAt, opens } = described(token);
  return [
    ["accepted", "yes, unless it was revoked: only the server knows"],
    ["user", user],
    ["app", app],
    ["role", admin ? "admin" : "user"],
    ["profile", profile],
    ["client id", clientId ?? "any"],
    ["scopes", scopesOf(token, opens)],
    ["token id", tokenId === "" ? "none: it cannot be revoked alone" : tokenId],
    ["issued", issuedAt === 0 ? "it does not say" : localTime(issuedAt)],
    ["expires", expiresAt === null ? "never" : localTime(expiresAt)],
  ];
}

function scopesOf({ scopes }: VerifiedToken, opens: readonly string[]): string {
  if (scopes === undefined) return "none: all topics of its user, but RabbitMQ refuses it";
  return opens.length === 0
    ? "not for all topics of its user in any way"
    : `its user may ${opens.join(", ")}`;
}

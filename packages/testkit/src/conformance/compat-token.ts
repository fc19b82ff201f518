import { createHmac, randomUUID } from "node:crypto";

/** Makes a token exactly as existing issuers do, without any code of ours. */
export function compatToken(user: string, options: CompatTokenOptions): string {
  const { app = "tilechat", role = "user", ttlSeconds = 3_600, tokenId = randomUUID() } = options;
  const { wireId = user } = options;
  const { algorithm = "HS256" } = options;
  const now = Math.floor(Date.now() / 1_000);
  const scope = (kind: string, key: string) => `rabbitmq.${kind}:*/*/${key}`;
  const scopes =
    role === "admin"
      ? [scope("read", "*"), scope("write", "*"), scope("configure", "*")]
      : [
          scope("read", `apps.${app}.users.${wireId}.*`),
          scope("write", `apps.${app}.users.${wireId}.*`),
          scope("write", `apps.${app}.outgoing.users.${wireId}.*`),
          scope("configure", "*"),
        ];
  const signed = [
    encode({ alg: algorithm, typ: "JWT" }),
    encode({
      jti: tokenId,
      sub: user,
      ...(options.scope === null ? {} : { scope: options.scope ?? scopes }),
      client_id: user,
      cid: user,
      azp: user,
      user_id: user,
      app_id: app,
      iat: now - 1,
      ...(ttlSeconds === null ? {} : { exp: now + ttlSeconds }),
      aud: ["rabbitmq", user],
      kid: "tiledesk-key",
      tiledesk_api_roles: role,
    }),
  ].join(".");
  const signature =
    algorithm === "none" ? "" : createHmac("sha256", options.secret).update(signed).digest("base64url");
  return `${signed}.${signature}`;
}

/** Secret and facts of a {@link compatToken}. */
export interface CompatTokenOptions {
  readonly secret: string;
  /** @default "tilechat" */
  readonly app?: string;
  /** The user's id in scopes. @default the user's id */
  readonly wireId?: string;
  /** The claim; `null`: none. @default the scopes of the role */
  readonly scope?: readonly string[] | string | null;
  /** @default "user" */
  readonly role?: "user" | "admin";
  /** Seconds from now. Negative for an expired token, `null` for one that never ends. @default 3600 */
  readonly ttlSeconds?: number | null;
  /** @default a random UUID */
  readonly tokenId?: string;
  /** @default "HS256" */
  readonly algorithm?: "HS256" | "none";
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

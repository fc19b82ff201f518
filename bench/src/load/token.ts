import { createHmac, randomUUID } from "node:crypto";
import { tokenAudience, userScopes } from "@chat21/protocol";

/** Differences from an ordinary user's token. */
interface TokenOptions {
  /** @default "user" */
  readonly role?: "user" | "admin";
  /** @default the user's */
  readonly scope?: readonly string[];
}

/** An HS256 token as an issuer in the field makes it, good for a day. */
export function issueToken(
  secret: string,
  app: string,
  user: string,
  { role = "user", scope = userScopes(app, user) }: TokenOptions = {},
): string {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const signed = [
    { alg: "HS256", typ: "JWT" },
    {
      jti: randomUUID(),
      sub: user,
      app_id: app,
      scope,
      aud: [tokenAudience, user],
      iat: nowSeconds - 1,
      exp: nowSeconds + 86_400,
      tiledesk_api_roles: role,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

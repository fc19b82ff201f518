/** What a fake token says. */
export interface FakeTokenOptions {
  readonly user: string;
  /** @default "tilechat" */
  readonly app?: string;
  /** Binds it to this MQTT client id (strict profile). @default not bound */
  readonly clientId?: string;
  /** Milliseconds since the epoch. @default in an hour */
  readonly expiresAt?: number;
  /** Tells tokens of one user apart. */
  readonly tokenId?: string;
}

/** A JWT in form, signed with nothing: only a fake server takes it. */
export function fakeToken({
  user,
  app = "tilechat",
  clientId,
  expiresAt,
  tokenId = "t-1",
}: FakeTokenOptions): string {
  const claims = {
    jti: tokenId,
    sub: user,
    app_id: app,
    exp: Math.floor((expiresAt ?? Date.now() + 3_600_000) / 1_000),
    client_id: clientId ?? user,
    profile: clientId === undefined ? "compat" : "strict",
  };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}.fake`;
}

/** What {@link fakeToken} wrote; `undefined` for anything else. */
export function readFakeToken(text: string): { user: string; app: string; tokenId: string } | undefined {
  try {
    const claims = JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString()) as Record<
      string,
      string
    >;
    const { sub: user = "", app_id: app = "", jti: tokenId = "" } = claims;
    return { user, app, tokenId };
  } catch {
    return undefined;
  }
}

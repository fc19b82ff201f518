/** What the page reads from a token. The server alone verifies it. */
export interface TokenFacts {
  readonly user: string;
  readonly app: string;
  /** Milliseconds; infinite when the token does not say. */
  readonly expiresAt: number;
}

/** Reads the claims of a JWT; `undefined` when it is none, or names no user and app. */
export function readToken(token: string): TokenFacts | undefined {
  const claims = decodeClaims(token.split(".")[1] ?? "");
  const { sub: user, app_id: app, exp } = claims ?? {};
  if (typeof user !== "string" || typeof app !== "string" || user === "" || app === "") return undefined;
  return { user, app, expiresAt: typeof exp === "number" ? exp * 1_000 : Number.POSITIVE_INFINITY };
}

function decodeClaims(part: string): Record<string, unknown> | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (byte) =>
      byte.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the claims of a JWT. Returns `undefined` for other text, and for a token without user or app. */
export function readToken(token: string): TokenFacts | undefined {
  const claims = decodeClaims(token.split(".")[1] ?? "");
  const { sub: user, app_id: app, exp } = claims ?? {};
  if (typeof user !== "string" || typeof app !== "string" || user === "" || app === "") return undefined;
  return { user, app, expiresAt: typeof exp === "number" ? exp * 1_000 : Number.POSITIVE_INFINITY };
}

/** The facts that the page reads from a token. Only the server verifies it. */
export interface TokenFacts {
  readonly user: string;
  readonly app: string;
  /** Milliseconds. Infinite for a token without expiry. */
  readonly expiresAt: number;
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

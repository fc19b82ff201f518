/** Who a valid token says it is. */
export interface Identity {
  readonly app: string;
  readonly user: string;
  readonly admin: boolean;
  /** `null`: any client id (compat). */
  readonly clientId: string | null;
  readonly tokenId: string;
  /** Milliseconds; 0 when the token does not say. */
  readonly issuedAt: number;
  /** Milliseconds; `Number.MAX_SAFE_INTEGER` when the token never expires. */
  readonly expiresAt: number;
}

/** Turns a token into an identity. */
export interface TokenVerifier {
  /**
   * Throws `ChatError` `unauthorized`, `token_expired` or `token_revoked`, never saying more than that about why; and
   * `store_unavailable` when it cannot be known whether a token was revoked.
   */
  verify(token: string): Promise<Identity>;
}

import type { Scopes } from "@chat21/protocol";

/** The user and the rights of a valid token. */
export interface Identity {
  readonly app: string;
  readonly user: string;
  readonly admin: boolean;
  /** `null`: any client id (compat). */
  readonly clientId: string | null;
  readonly tokenId: string;
  /** `tokenId` of the token from which this one descends by renewals; revoking that one ends both. @default none */
  readonly family?: string | undefined;
  /** Milliseconds; 0 when the token does not say. */
  readonly issuedAt: number;
  /** Milliseconds; `Number.MAX_SAFE_INTEGER` when the token never expires. */
  readonly expiresAt: number;
  /** What the token's scopes open; the rights go no further. @default everything that its holder may do */
  readonly scopes?: Scopes | undefined;
}

/** Turns a token into an identity. */
export interface TokenVerifier {
  /**
   * Throws `ChatError` `unauthorized`, `token_expired` or `token_revoked`, without any further reason; and
   * `store_unavailable` when the revocations cannot be read.
   */
  verify(token: string): Promise<Identity>;
  /** Whether a token has been revoked since it was verified, as far as this process knows. @default none ever is */
  isRevoked?(token: Pick<Identity, "app" | "family" | "issuedAt" | "tokenId" | "user">): boolean;
}

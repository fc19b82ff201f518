import type { RevocationRecord } from "./records.ts";

/** Revoked tokens. */
export interface RevocationStore {
  add(revocation: RevocationRecord): Promise<void>;
  /** All that still have an effect at `now`. */
  list(now: number): Promise<readonly RevocationRecord[]>;
}

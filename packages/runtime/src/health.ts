/** Whether a process can do its work, and why not. */
export interface Health {
  readonly ready: boolean;
  /** `ok`, or what is missing, as `store_unavailable`. */
  readonly reason: string;
}

/** The first of several healths that is not ready; else a ready one. */
export function combineHealth(...parts: readonly Health[]): Health {
  return parts.find(({ ready }) => !ready) ?? { ready: true, reason: "ok" };
}

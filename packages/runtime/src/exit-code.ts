/** What the process answers with; `docs/cli.md` lists the same. */
export const exitCodes = {
  ok: 0,
  /** It was understood and could not be done. */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
} as const;

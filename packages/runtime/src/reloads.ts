import type { Log, Metrics } from "@chat21/engine";

/** The files that a process reads again on request while it serves, and what to do with them. */
export interface Reloads {
  /**
   * `reload` reads files again and puts them to use. When it throws, the ones in use must still be those from before.
   * @param what names the files for the log
   */
  add(what: string, reload: () => void): void;
  /**
   * Reads everything again, each part by itself. Nobody is disconnected. A part that cannot be used stays as it was;
   * the log says why, and `chat21_reloads_total{outcome="refused"}` counts it.
   */
  run(): void;
}

/** Starts without any part. */
export function createReloads(log: Log, metrics: Pick<Metrics, "count">): Reloads {
  const parts: { readonly what: string; readonly reload: () => void }[] = [];
  return {
    add(what, reload) {
      parts.push({ what, reload });
    },
    run() {
      if (parts.length === 0) log.info({}, "there are no files to read again");
      for (const { what, reload } of parts) {
        try {
          reload();
          metrics.count("reloads", { outcome: "applied" });
          log.info({ what }, "read again");
        } catch (thrown) {
          metrics.count("reloads", { outcome: "refused" });
          log.error(
            { what, reason: thrown instanceof Error ? thrown.message : String(thrown) },
            "cannot be read again: what was in use before stays in use",
          );
        }
      }
    },
  };
}

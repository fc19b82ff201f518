import type { Store } from "@chat21/engine";
import type { PeopleStore } from "@chat21/people";
import { systemClock } from "@chat21/runtime";
import { importOriginalConversations } from "../conversations/import-conversations.ts";
import type { RefusedItem } from "../conversations/report.ts";
import { importOriginalInstances } from "./import-instances.ts";
import type { OriginalDatabase } from "./original-database.ts";
import type { RefusedDocument } from "./scan.ts";
import { scanOriginal } from "./scan.ts";
import { OriginalSpool } from "./spool.ts";
import { createSpooledSource } from "./spooled-source.ts";
import { type OriginalImportSummary, sumRefusals } from "./summary.ts";

/** The destination of an import. */
export interface OriginalImportTarget {
  /** Its name in reports: without a password. */
  readonly name: string;
  /** `null` in a dry run into a store that does not exist yet. */
  readonly store: (Store & Pick<PeopleStore, "instances">) | null;
}

/** Parts and settings of {@link importOriginalDatabase}. */
export interface ImportOriginalDatabaseOptions {
  readonly database: OriginalDatabase;
  readonly target: OriginalImportTarget;
  /** Folder for the spool. */
  readonly workDir: string;
  /** `null`: all. */
  readonly apps: ReadonlySet<string> | null;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly onRefused: (item: RefusedItem | RefusedDocument) => void;
  /** @param fraction 0 to 1 */
  readonly onProgress: (fraction: number) => void;
}

/** Approximate share of the time for reading and sorting. */
const readingShare = 0.4;

/** Reads everything, sorts it in a file, then writes it conversation by conversation. Rejects when it is cut short. */
export async function importOriginalDatabase(
  options: ImportOriginalDatabaseOptions,
): Promise<OriginalImportSummary> {
  const { database, target, workDir, apps, isDryRun, signal, onRefused, onProgress } = options;
  const { store } = target;
  const beganAt = systemClock.now();
  const parts = { database, apps, now: beganAt, onRefused };
  const spool = new OriginalSpool(workDir);
  try {
    const total = (await database.count("messages")) + (await database.count("conversations"));
    const tell = async (fraction: number) => {
      signal.throwIfAborted();
      onProgress(Math.min(1, fraction) * readingShare);
      // Gives signals and heartbeats their turn.
      await new Promise((resolve) => setImmediate(resolve));
    };
    const scanned = await scanOriginal({
      ...parts,
      spool,
      onProgress: (documents) => tell((documents / Math.max(1, total)) * 0.9),
    });
    await spool.sort((fraction) => tell(0.9 + fraction * 0.1));
    const messages = Math.max(1, spool.messageCount);
    const report = await importOriginalConversations({
      store,
      source: createSpooledSource(spool, database),
      clock: systemClock,
      isDryRun,
      signal,
      onRefused,
      onProgress: ({ messages: { imported, numbered, skipped } }) =>
        onProgress(readingShare + ((imported + numbered + skipped) / messages) * (1 - readingShare)),
    });
    const instances = await importOriginalInstances({ ...parts, store, isDryRun });
    const { refused: refusedDocuments, ...read } = scanned;
    const { refused: refusedItems, ...written } = report;
    const { refused: refusedInstances, ...registered } = instances;
    return {
      source: database.name,
      target: target.name,
      dryRun: isDryRun,
      complete: !signal.aborted,
      tookMs: systemClock.now() - beganAt,
      read,
      ...written,
      instances: registered,
      refused: sumRefusals(refusedDocuments, refusedItems, refusedInstances),
    };
  } finally {
    spool.close();
  }
}

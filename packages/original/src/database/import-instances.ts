import type { InstanceRecord, PeopleStore } from "@chat21/people";
import { readOriginalInstance } from "../documents/instance.ts";
import { isRefused, type OriginalRefusal } from "../refusals.ts";
import type { OriginalDatabase } from "./original-database.ts";
import type { RefusedDocument } from "./scan.ts";

/** The outcome for push registrations. */
export interface InstancesReport {
  imported: number;
  /** The new store has them already. */
  known: number;
  /** Refusals, by reason. */
  readonly refused: Partial<Record<OriginalRefusal, number>>;
}

/** Parts and settings of {@link importOriginalInstances}. */
export interface InstancesOptions {
  readonly database: OriginalDatabase;
  /** `null`: they are only counted. */
  readonly store: Pick<PeopleStore, "instances"> | null;
  readonly isDryRun: boolean;
  /** `null`: all. */
  readonly apps: ReadonlySet<string> | null;
  readonly now: number;
  readonly onRefused: (refused: RefusedDocument) => void;
}

/** Registrations written side by side. */
const atOnce = 50;

/** Takes push registrations over. A registration that its device has renewed since stays unchanged. */
export async function importOriginalInstances(options: InstancesOptions): Promise<InstancesReport> {
  const { database, store, apps, now, onRefused } = options;
  const report: InstancesReport = { imported: 0, known: 0, refused: {} };
  let waiting: InstanceRecord[] = [];

  async function put(instance: InstanceRecord): Promise<void> {
    const found = (await store?.instances.list(instance.app, instance.user)) ?? [];
    const isKnown = found.some(({ instanceId }) => instanceId === instance.instanceId);
    report[isKnown ? "known" : "imported"] += 1;
    if (!isKnown && !options.isDryRun) await store?.instances.put(instance);
  }

  for await (const document of database.documents("instances")) {
    const read = readOriginalInstance(document, now);
    if (!isRefused(read)) {
      if (apps === null || apps.has(read.app)) waiting.push(read);
    } else {
      report.refused[read.refused] = (report.refused[read.refused] ?? 0) + 1;
      onRefused({ reason: read.refused, collection: "instances", document, ...withDetail(read.detail) });
    }
    if (waiting.length < atOnce) continue;
    await Promise.all(waiting.map(put));
    waiting = [];
  }
  await Promise.all(waiting.map(put));
  return report;
}

const withDetail = (detail: string | undefined) => (detail === undefined ? {} : { detail });

import { readOriginalCopy } from "../documents/copy.ts";
import { readOriginalGroup } from "../documents/group.ts";
import { readOriginalListEntry } from "../documents/list-entry.ts";
import { isRefused, type OriginalRefusal } from "../refusals.ts";
import type { OriginalCollection, OriginalDatabase } from "./original-database.ts";
import { createdAtOf, documentKey } from "./original-database.ts";
import type { OriginalSpool } from "./spool.ts";

/** A document that is not taken over. */
export interface RefusedDocument {
  readonly reason: OriginalRefusal;
  readonly collection: OriginalCollection;
  readonly document: unknown;
  readonly detail?: string;
}

/** Counts of the read documents. */
export interface ScanReport {
  /** Copies of messages. */
  copies: number;
  /** Documents without a message: receipts of unknown ids. */
  stubs: number;
  /** Entries of lists. */
  entries: number;
  /** Entries on no user's list: a group's own, and those without an app. */
  entryStubs: number;
  groups: number;
  /** Documents of apps that were not selected. */
  otherApps: number;
  /**
   * Fields that are a time and were repaired: `timestamp` of copies, `createdOn` and `updatedOn` of groups. Copies of one
   * message count each.
   */
  readonly times: {
    /** Given in seconds, and taken over as milliseconds. */
    seconds: number;
    /** Missing or impossible, and replaced by the time that is nearest to it. */
    replaced: number;
  };
  /** Refusals, by reason. */
  readonly refused: Partial<Record<OriginalRefusal, number>>;
}

/** Parts and settings of {@link scanOriginal}. */
export interface ScanOptions {
  readonly database: OriginalDatabase;
  readonly spool: OriginalSpool;
  /** `null`: all. */
  readonly apps: ReadonlySet<string> | null;
  readonly now: number;
  readonly onRefused: (refused: RefusedDocument) => void;
  /** Called now and then with the number of documents read; a rejection ends the scan. */
  readonly onProgress: (documents: number) => Promise<void>;
}

/** Documents between two reports of progress. */
const progressEvery = 2_000;

/** Reads every collection once, in stored order, and sorts its documents by where they belong. */
export async function scanOriginal(options: ScanOptions): Promise<ScanReport> {
  const scan = new Scan(options);
  await scan.each("groups", (document) => scan.addGroup(document));
  await scan.each("conversations", (document) => scan.addEntry(document));
  await scan.each("messages", (document) => scan.addCopy(document));
  return scan.report;
}

type Document = Readonly<Record<string, unknown>>;

class Scan {
  readonly report: ScanReport = {
    copies: 0,
    stubs: 0,
    entries: 0,
    entryStubs: 0,
    groups: 0,
    otherApps: 0,
    times: { seconds: 0, replaced: 0 },
    refused: {},
  };
  readonly #options: ScanOptions;
  #documents = 0;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  async each(collection: OriginalCollection, add: (document: Document) => void): Promise<void> {
    const { database, onProgress } = this.#options;
    const documents = collection === "messages" ? database.copies() : database.documents(collection);
    for await (const document of documents) {
      add(document);
      this.#documents += 1;
      if (this.#documents % progressEvery === 0) await onProgress(this.#documents);
    }
  }

  addCopy(document: Document): void {
    const { spool, now } = this.#options;
    const read = readOriginalCopy(document, { now, createdAt: createdAtOf(document) });
    if ("stubOf" in read) {
      this.report.stubs += 1;
      spool.addStub(read);
    } else if (this.#isOther(document["app_id"])) this.report.otherApps += 1;
    else if (isRefused(read)) this.#refuse("messages", document, read.refused, read.detail);
    else {
      this.report.copies += 1;
      this.#noteTime(read.isTimeKnown, read.isTimeInSeconds);
      spool.addCopy(read, documentKey(document["_id"]));
    }
  }

  addEntry(document: Document): void {
    const read = readOriginalListEntry(document);
    if (read === null) this.report.entryStubs += 1;
    else if (this.#isOther(document["app_id"])) this.report.otherApps += 1;
    else if (isRefused(read)) this.#refuse("conversations", document, read.refused, read.detail);
    else {
      this.report.entries += 1;
      this.#options.spool.addEntry(read);
    }
  }

  addGroup(document: Document): void {
    const read = readOriginalGroup(document, this.#options.now);
    if (this.#isOther(document["appId"])) this.report.otherApps += 1;
    else if (isRefused(read)) this.#refuse("groups", document, read.refused, read.detail);
    else {
      this.report.groups += 1;
      for (const { at, isInSeconds } of read.times) this.#noteTime(at !== null, isInSeconds);
      for (const { refused, detail } of read.leftOut) this.#refuse("groups", document, refused, detail);
      const older = this.#options.spool.addGroup(read.app, read.id, read.group);
      if (older !== null)
        this.#refuse("groups", { appId: read.app, uid: read.id, ...older }, "group_duplicate");
    }
  }

  #noteTime(isKnown: boolean, isInSeconds: boolean): void {
    if (!isKnown) this.report.times.replaced += 1;
    else if (isInSeconds) this.report.times.seconds += 1;
  }

  #isOther(app: unknown): boolean {
    const { apps } = this.#options;
    return apps !== null && typeof app === "string" && !apps.has(app);
  }

  #refuse(
    collection: OriginalCollection,
    document: Document,
    reason: OriginalRefusal,
    detail?: string,
  ): void {
    this.report.refused[reason] = (this.report.refused[reason] ?? 0) + 1;
    this.#options.onRefused({ reason, collection, document, ...(detail === undefined ? {} : { detail }) });
  }
}

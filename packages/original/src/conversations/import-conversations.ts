import type { Clock, ConversationRecord, EventRef, Store } from "@chat21/engine";
import { ConversationImport } from "./conversation-import.ts";
import { emptyReport, type OriginalImportReport, type RefusedItem } from "./report.ts";
import type { OriginalConversation, OriginalSource } from "./source.ts";
import { clearMarks, type ImportWrite, writeRuns } from "./writes.ts";

/** Ports and settings of {@link importOriginalConversations}. */
export interface OriginalImportOptions {
  /** `null`: the store does not exist yet, and everything is only counted. */
  readonly store: Store | null;
  readonly source: OriginalSource;
  readonly clock: Pick<Clock, "now">;
  /** Reads and counts everything, and writes nothing. @default `false` */
  readonly isDryRun?: boolean;
  /** Events that are written in one piece, 1-500. @default 500 */
  readonly runEvents?: number;
  /** Ends the import between two batches; written events stay, and the next import goes on there. */
  readonly signal?: AbortSignal;
  /** Called after every batch. @default no report */
  readonly onProgress?: (report: OriginalImportReport) => void;
  /** Called for everything that is not taken over. @default only counted */
  readonly onRefused?: (item: RefusedItem) => void;
}

/** Conversations per lookup. */
const maxLot = 200;
/** Messages of a lot; one conversation alone may have more. */
const maxLotMessages = 1_000;
/** Marks that are read to find conversations an earlier import left unfinished. */
const maxMarks = 10_000;

/** Marks left in the store, by conversation; `null`: too many to hold. */
type LeftMarks = ReadonlyMap<string, readonly EventRef[]> | null;

const nameOf = ({ app, conversation }: { readonly app: string; readonly conversation: string }) =>
  `${app}\n${conversation}`;

/**
 * Numbers an original's conversations once, from 1, each before its first event of the new kind. Conversations with
 * events of their own are left alone and reported. The import may be cut short anywhere, by the signal, an error or a
 * crash, and called again: it skips numbered conversations, finishes the others, and the result is the same. Nothing is
 * delivered. The store must not be in use by others.
 */
export async function importOriginalConversations(
  options: OriginalImportOptions,
): Promise<OriginalImportReport> {
  const session = new ImportSession(options);
  await session.run();
  return session.report;
}

class ImportSession {
  readonly report = emptyReport();
  readonly #options: OriginalImportOptions;
  #leftMarks: LeftMarks = new Map();

  constructor(options: OriginalImportOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    this.#leftMarks = await this.#readMarks();
    let lot: OriginalConversation[] = [];
    let messages = 0;
    for await (const conversation of this.#options.source.conversations()) {
      if (lot.length > 0 && (lot.length >= maxLot || messages + conversation.messages > maxLotMessages)) {
        await this.#importLot(lot);
        [lot, messages] = [[], 0];
      }
      if (this.#options.signal?.aborted === true) return;
      lot.push(conversation);
      messages += conversation.messages;
    }
    if (lot.length > 0) await this.#importLot(lot);
  }

  async #readMarks(): Promise<LeftMarks> {
    const { store, clock } = this.#options;
    const events = (await store?.events.undispatched(maxMarks, clock.now() + 1)) ?? [];
    if (events.length >= maxMarks) return null;
    return Map.groupBy(events, nameOf);
  }

  /** Marks that an earlier import has left on a conversation. It was cut short there. */
  async #marksOf(conversation: OriginalConversation): Promise<readonly EventRef[]> {
    if (this.#leftMarks !== null) return this.#leftMarks.get(nameOf(conversation)) ?? [];
    const { store, clock } = this.#options;
    const of = { app: conversation.app, conversation: conversation.conversation };
    return (await store?.events.undispatched(maxMarks, clock.now() + 1, of)) ?? [];
  }

  async #importLot(lot: readonly OriginalConversation[]): Promise<void> {
    const { store, source, signal } = this.#options;
    const records = store === null ? lot.map(() => null) : await store.conversations.load(lot);
    const wanted = new Map<OriginalConversation, ConversationImport>();
    const marks = await Promise.all(
      lot.map((conversation, at) => this.#leftOf(conversation, records[at] ?? null)),
    );
    for (const [at, conversation] of lot.entries()) {
      const left = marks[at] ?? null;
      if (left === null) {
        this.report.conversations.numbered += 1;
        this.report.messages.numbered += conversation.messages;
      } else wanted.set(conversation, this.#begin(conversation, records[at]?.head ?? 0, left));
    }
    let writes: ImportWrite[] = [];
    for await (const { conversation, messages, isLast } of source.read([...wanted.keys()])) {
      const work = wanted.get(conversation);
      for (const message of messages) {
        await work?.take(message);
        for (const write of work?.fullRuns() ?? []) {
          await this.#write([...writes, write], wanted);
          writes = [];
        }
      }
      if (isLast) writes.push(...((await work?.end()) ?? []));
      // The next import finishes a conversation that is not written to its end.
      if (signal?.aborted === true) break;
    }
    await this.#write(writes, wanted);
    this.#options.onProgress?.(this.report);
  }

  #begin(
    conversation: OriginalConversation,
    head: number,
    leftMarks: readonly EventRef[],
  ): ConversationImport {
    const { store, clock, onRefused, runEvents = 500 } = this.#options;
    return new ConversationImport({
      source: conversation,
      storedHead: head,
      leftMarks,
      now: clock.now(),
      runEvents,
      report: this.report,
      readStored: async (after) => {
        const { app, conversation: name } = conversation;
        if (store === null) return [];
        return store.events.read({ app, conversation: name, after, limit: 1_000, from: "oldest" });
      },
      onRefused: (item) => onRefused?.(item),
    });
  }

  /** Marks that an earlier import has left; `null` when it has finished the conversation. */
  async #leftOf(
    conversation: OriginalConversation,
    record: ConversationRecord | null,
  ): Promise<readonly EventRef[] | null> {
    if (record === null || record.head === 0) return [];
    const marks = await this.#marksOf(conversation);
    return marks.length === 0 && (await this.#isNumbered(conversation)) ? null : marks;
  }

  /** Whether the last message is stored. Messages are written in their order, so then all are stored. */
  async #isNumbered({ app, conversation, lastMessageId }: OriginalConversation): Promise<boolean> {
    const { store } = this.#options;
    if (store === null || lastMessageId === null) return false;
    const found = await store.events.find(app, conversation, lastMessageId);
    return found?.messageId === lastMessageId;
  }

  async #write(
    writes: readonly ImportWrite[],
    works: ReadonlyMap<OriginalConversation, ConversationImport>,
  ): Promise<void> {
    const { store, isDryRun = false } = this.#options;
    const byName = new Map([...works].map(([conversation, work]) => [nameOf(conversation), work]));
    const runs = writes.filter(({ run }) => run.events.length > 0);
    const outcomes =
      store === null || isDryRun ? runs.map(() => "committed" as const) : await writeRuns(store, runs);
    for (const [index, { run, patches }] of runs.entries()) {
      byName.get(nameOf(run))?.written(run, patches.length, outcomes[index] ?? "stale");
    }
    if (store === null || isDryRun) return;
    // An earlier import has stored all of these, except for the members' places.
    for (const { run, patches, leftMarks } of writes.filter((write) => write.run.events.length === 0)) {
      if (patches.length > 0) await store.conversations.patch(patches);
      await clearMarks(store, leftMarks);
      byName.get(nameOf(run))?.written(run, patches.length, "committed");
    }
  }
}

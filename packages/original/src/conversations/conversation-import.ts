import type { EventRecord, EventRef, Run } from "@chat21/engine";
import { isRefused } from "../refusals.ts";
import { ConversationNumbering } from "./conversation-numbering.ts";
import type { OriginalImportReport, RefusedItem } from "./report.ts";
import type { OriginalConversation, OriginalMessage } from "./source.ts";
import type { ImportWrite, WriteOutcome } from "./writes.ts";

/** Parts of a {@link ConversationImport}. */
export interface ConversationImportParts {
  readonly source: OriginalConversation;
  /** Number of the conversation's events that the store already has. */
  readonly storedHead: number;
  readonly leftMarks: readonly EventRef[];
  readonly now: number;
  /** Events of one run. */
  readonly runEvents: number;
  readonly report: OriginalImportReport;
  /** Stored events beyond a number, ascending, some at a time. */
  readonly readStored: (after: number) => Promise<readonly EventRecord[]>;
  readonly onRefused: (item: RefusedItem) => void;
}

/**
 * One conversation on its way into the store. Events that an earlier import has stored are compared; new events are
 * kept.
 */
export class ConversationImport {
  readonly #parts: ConversationImportParts;
  readonly #numbering: ConversationNumbering;
  #stored: readonly EventRecord[] = [];
  #fresh: EventRecord[] = [];
  #same = 0;
  #isNative = false;

  constructor(parts: ConversationImportParts) {
    this.#parts = parts;
    this.#numbering = new ConversationNumbering(parts.source, parts.now);
  }

  /** Numbers a message, unless the conversation turned out to hold events of another origin. */
  async take(message: OriginalMessage): Promise<void> {
    if (this.#isNative) return;
    const event = this.#numbering.add(message);
    if (isRefused(event)) {
      this.#refuse({
        reason: event.refused,
        messageId: message.messageId,
        ...(event.detail === undefined ? {} : { detail: event.detail }),
        document: message.document,
      });
    } else await this.#place(event);
  }

  /** Full runs, as long as more events follow: their members come with the last run. */
  *fullRuns(): Iterable<ImportWrite> {
    const { runEvents, source } = this.#parts;
    const { kind, group } = source;
    // One event always stays behind, so that the last run has at least one.
    while (this.#fresh.length > runEvents) {
      const events = this.#fresh.splice(0, runEvents);
      const transient = kind === "group" && group === null;
      yield { run: this.#run(events, { kind, transient }), patches: [], leftMarks: [] };
    }
  }

  /** The last run with the members, and their places. It has no events when an earlier import has stored all. */
  async end(): Promise<ImportWrite[]> {
    const { storedHead, leftMarks, report } = this.#parts;
    const lone = this.#isNative ? null : this.#numbering.addEmptyGroup();
    if (lone !== null) await this.#place(lone);
    if (this.#isNative) return [];
    const { facts, patches, emptyEntries } = this.#numbering.finish();
    for (const user of emptyEntries) this.#refuse({ reason: "list_entry_without_messages", user });
    if (this.#numbering.head === 0) report.conversations.empty += 1;
    const isStored = this.#fresh.length === 0;
    const isGrown = storedHead > this.#numbering.head;
    if (this.#numbering.head === 0 || isGrown || (isStored && leftMarks.length === 0)) {
      if (this.#same > 0) report.conversations.numbered += 1;
      return [];
    }
    return [{ run: this.#run(this.#fresh.splice(0), facts), patches, leftMarks }];
  }

  /** Notes the outcome of a write. */
  written({ events, members }: Run, places: number, outcome: WriteOutcome): void {
    const { source, storedHead, report } = this.#parts;
    if (outcome === "stale") {
      this.#leaveAlone();
      return;
    }
    report.messages.imported += events.filter(({ type }) => type === "message").length;
    if (members === undefined) return;
    report.conversations.imported += 1;
    if (storedHead > 0) report.conversations.resumed += 1;
    report.messages.moved += this.#numbering.movedTimes;
    report.places += places;
    if (source.kind === "group") report.groups[source.group === null ? "transient" : "created"] += 1;
  }

  async #place(event: EventRecord): Promise<void> {
    const { storedHead, report } = this.#parts;
    if (event.seq > storedHead) {
      this.#fresh.push(event);
      return;
    }
    if ((this.#stored[0]?.seq ?? 0) > event.seq || (this.#stored.at(-1)?.seq ?? 0) < event.seq) {
      this.#stored = await this.#parts.readStored(event.seq - 1);
    }
    const stored = this.#stored[event.seq - (this.#stored[0]?.seq ?? 1)];
    if (stored?.messageId !== event.messageId) {
      this.#leaveAlone();
      return;
    }
    this.#same += 1;
    if (event.type === "message") report.messages.numbered += 1;
  }

  #leaveAlone(): void {
    const { source, report } = this.#parts;
    this.#isNative = true;
    this.#fresh = [];
    const messages = source.messages - this.#same;
    report.conversations.skipped += 1;
    report.messages.skipped += messages;
    this.#refuse({ reason: "native_events", messages });
  }

  #run(events: readonly EventRecord[], facts: Pick<Run, "kind" | "transient" | "group" | "members">): Run {
    const { app, conversation } = this.#parts.source;
    const expectedHead = (events[0]?.seq ?? this.#numbering.head + 1) - 1;
    return { app, conversation, expectedHead, events, ...facts };
  }

  #refuse(item: Omit<RefusedItem, "app" | "conversation">): void {
    const { source, report, onRefused } = this.#parts;
    report.refused[item.reason] = (report.refused[item.reason] ?? 0) + 1;
    onRefused({ app: source.app, conversation: source.conversation, ...item });
  }
}

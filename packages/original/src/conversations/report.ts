import type { OriginalRefusal } from "../refusals.ts";

/** An item that an import did not take over. */
export interface RefusedItem {
  readonly reason: OriginalRefusal;
  readonly app: string;
  readonly conversation: string;
  /** Present when it is about one message. */
  readonly messageId?: string;
  /** Present when it is about one person. */
  readonly user?: string;
  /** Present when it is about several messages: their number. */
  readonly messages?: number;
  readonly detail?: string;
  /** The item's document in the original's database, where it is at hand. */
  readonly document?: unknown;
}

/** Results of an import so far. Counts, except for `refused`. */
export interface OriginalImportReport {
  readonly conversations: {
    /** Numbered now, including the resumed ones. */
    imported: number;
    /** Begun by an earlier import that was cut short, and finished now. */
    resumed: number;
    /** Done by an earlier import. */
    numbered: number;
    /** With events of their own in the new store: left unchanged. */
    skipped: number;
    /** Without any message that could be taken over. */
    empty: number;
  };
  readonly messages: {
    /** Numbered now. */
    imported: number;
    /** Numbered by an earlier import. */
    numbered: number;
    /** In conversations that were skipped. */
    skipped: number;
    /**
     * Imported with another time than the original's, because another message has that time or because it is
     * impossible.
     */
    moved: number;
  };
  /** Groups with their data, and groups that messages began and that were never created. */
  readonly groups: { created: number; transient: number };
  /** Written places of members: read, received, archived or off the list. */
  places: number;
  /** Refusals, by reason. */
  readonly refused: Partial<Record<OriginalRefusal, number>>;
}

/** An empty report. */
export function emptyReport(): OriginalImportReport {
  return {
    conversations: { imported: 0, resumed: 0, numbered: 0, skipped: 0, empty: 0 },
    messages: { imported: 0, numbered: 0, skipped: 0, moved: 0 },
    groups: { created: 0, transient: 0 },
    places: 0,
    refused: {},
  };
}

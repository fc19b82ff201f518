import type { OriginalRefusal } from "../refusals.ts";

/** Something that an import did not take over. */
export interface RefusedItem {
  readonly reason: OriginalRefusal;
  readonly app: string;
  readonly conversation: string;
  /** Where it is about one message. */
  readonly messageId?: string;
  /** Where it is about one person. */
  readonly user?: string;
  /** Where it is about several messages: how many. */
  readonly messages?: number;
  readonly detail?: string;
  /** What the original's database holds of it, where it is at hand. */
  readonly document?: unknown;
}

/** What an import has done so far. Counts, but for `refused`. */
export interface OriginalImportReport {
  readonly conversations: {
    /** Numbered now, the resumed ones among them. */
    imported: number;
    /** Begun by an earlier import that was cut short, and finished now. */
    resumed: number;
    /** Done by an earlier import. */
    numbered: number;
    /** With events of their own in the new store: left as they are. */
    skipped: number;
    /** Without a message that could be taken over. */
    empty: number;
  };
  readonly messages: {
    /** Numbered now. */
    imported: number;
    /** Numbered by an earlier import. */
    numbered: number;
    /** In conversations that were skipped. */
    skipped: number;
    /** Imported, under another time than the original's: taken by another message, or impossible. */
    moved: number;
  };
  /** Groups with their data, and those that messages made before anybody created them. */
  readonly groups: { created: number; transient: number };
  /** Places of members that were written: what is read, received, archived or off the list. */
  places: number;
  /** Refusals, by reason. */
  readonly refused: Partial<Record<OriginalRefusal, number>>;
}

/** A report of nothing. */
export function emptyReport(): OriginalImportReport {
  return {
    conversations: { imported: 0, resumed: 0, numbered: 0, skipped: 0, empty: 0 },
    messages: { imported: 0, numbered: 0, skipped: 0, moved: 0 },
    groups: { created: 0, transient: 0 },
    places: 0,
    refused: {},
  };
}

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { OriginalGroup, OriginalListEntry } from "../conversations/source.ts";
import type { OriginalCopy, OriginalStub } from "../documents/copy.ts";
import type { ReadOriginalListEntry } from "../documents/list-entry.ts";
import type { DocumentKey } from "./original-database.ts";

const tables = `
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE conversation (
  id INTEGER PRIMARY KEY, app TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, UNIQUE (app, name));
CREATE TABLE copy (
  conversation INTEGER NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL, known INTEGER NOT NULL,
  owner INTEGER, status INTEGER NOT NULL, rank INTEGER NOT NULL, temp_uid TEXT, document NOT NULL);
CREATE TABLE message (
  conversation INTEGER NOT NULL, at INTEGER NOT NULL, message TEXT NOT NULL, known INTEGER NOT NULL,
  PRIMARY KEY (conversation, at, message)) WITHOUT ROWID;
CREATE TABLE stub (name TEXT NOT NULL, owner TEXT NOT NULL, status INTEGER NOT NULL);
CREATE TABLE entry (
  conversation INTEGER NOT NULL, user TEXT NOT NULL, is_new INTEGER NOT NULL, is_archived INTEGER NOT NULL,
  PRIMARY KEY (conversation, user)) WITHOUT ROWID;
CREATE TABLE original_group (conversation INTEGER PRIMARY KEY, value TEXT NOT NULL)`;

const statements = {
  findName: "SELECT id FROM name WHERE text = ?",
  addName: "INSERT INTO name (text) VALUES (?) RETURNING id",
  findConversation: "SELECT id FROM conversation WHERE app = ? AND name = ?",
  addConversation: "INSERT INTO conversation (app, name, kind) VALUES (?, ?, ?) RETURNING id",
  addCopy: "INSERT INTO copy VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  addStub: "INSERT INTO stub VALUES (?, ?, ?)",
  addEntry: "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)",
  putGroup: "INSERT OR REPLACE INTO original_group VALUES (?, ?)",
  // Known times of copies count; without any, the earliest guess counts.
  sort: `INSERT INTO message
    SELECT conversation, coalesce(min(CASE known WHEN 1 THEN at END), min(at)), message, max(known)
    FROM copy WHERE conversation BETWEEN ? AND ? GROUP BY conversation, message`,
  conversations: "SELECT id, app, name, kind FROM conversation WHERE id > ? ORDER BY id LIMIT ?",
  countConversations: "SELECT coalesce(max(id), 0) AS count FROM conversation",
  countMessages: "SELECT count(*) AS count FROM message",
  countOf: "SELECT count(*) AS count FROM message WHERE conversation = ?",
  last: "SELECT message FROM message WHERE conversation = ? ORDER BY at DESC, message DESC LIMIT 1",
  group: "SELECT value FROM original_group WHERE conversation = ?",
  entries: "SELECT user, is_new, is_archived FROM entry WHERE conversation = ? ORDER BY user",
  messages: `SELECT message, at, known FROM message
    WHERE conversation = ? AND (at, message) > (?, ?) ORDER BY at, message LIMIT ?`,
  copies: `SELECT name.text AS owner, status, temp_uid, document FROM copy LEFT JOIN name ON name.id = copy.owner
    WHERE conversation = ? AND message = ? ORDER BY rank, copy.rowid`,
  stubs: "SELECT owner, status FROM stub WHERE name = ?",
  countStubs: "SELECT count(*) AS count FROM stub",
} as const;

/** A conversation in the spool. */
export interface SpooledConversation {
  readonly id: number;
  readonly app: string;
  readonly conversation: string;
  readonly kind: "direct" | "group";
}

/** A message in the spool. */
export interface SpooledMessage {
  readonly messageId: string;
  readonly timestamp: number;
  readonly isTimeKnown: boolean;
}

/** One copy in the spool, without its content. */
export interface SpooledCopy {
  readonly owner: string | null;
  readonly status: number;
  readonly tempUid: string | null;
  readonly document: DocumentKey;
}

/** Remembered names, at most; an original has as many as it has people. */
const maxNames = 100_000;
/** Conversations sorted per step; a step blocks the process. */
const sortAtOnce = 2_000;

/**
 * A file that gathers the place of every copy. So all copies of a message, and all messages of a conversation, come
 * together with any indexes of the original, and memory stays bounded. About 230 bytes a copy.
 */
export class OriginalSpool {
  readonly #database: DatabaseSync;
  readonly #folder: string;
  readonly #sql: Readonly<Record<keyof typeof statements, StatementSync>>;
  readonly #names = new Map<string, number>();

  /** @param parent the folder in which it makes its own folder */
  constructor(parent: string) {
    this.#folder = mkdtempSync(join(parent, "chat21-import-"));
    this.#database = new DatabaseSync(join(this.#folder, "spool.db"));
    // The file is of no use after a crash.
    this.#database.exec(
      "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536",
    );
    this.#database.exec(`${tables}; BEGIN`);
    // On systems where an open file needs no name, the file is gone with its process, however that ends.
    if (process.platform !== "win32") rmSync(this.#folder, { recursive: true });
    const prepared = Object.entries(statements).map(([name, sql]) => [name, this.#database.prepare(sql)]);
    this.#sql = Object.fromEntries(prepared);
  }

  addCopy(copy: OriginalCopy, document: DocumentKey): void {
    const isOwn = copy.owner === null || copy.owner === copy.sender;
    this.#sql.addCopy.run(
      this.#conversation(copy.app, copy.conversation, copy.kind),
      copy.messageId,
      copy.timestamp,
      copy.isTimeKnown ? 1 : 0,
      copy.owner === null ? null : this.#name(copy.owner),
      Math.trunc(copy.status),
      // A copy that was replayed to a joiner has other attributes than the sent message.
      copy.isHistory ? 2 : isOwn ? 0 : 1,
      copy.tempUid,
      document,
    );
  }

  addStub({ stubOf, owner, status }: OriginalStub): void {
    if (stubOf !== null && owner !== null) this.#sql.addStub.run(stubOf, owner, Math.trunc(status));
  }

  addEntry({ app, conversation, kind, user, entry }: ReadOriginalListEntry): void {
    const id = this.#conversation(app, conversation, kind);
    this.#sql.addEntry.run(id, user, entry.isNew ? 1 : 0, entry.isArchived ? 1 : 0);
  }

  /** Adds a document of a group. Answers the older one of two, which does not count. */
  addGroup(app: string, group: string, value: OriginalGroup): OriginalGroup | null {
    const id = this.#conversation(app, group, "group");
    const known = this.group(id);
    if (known !== null && known.record.updatedOn >= value.record.updatedOn) return value;
    this.#sql.putGroup.run(id, JSON.stringify(value));
    return known;
  }

  /** Sorts everything. Call it once, after everything was added. */
  async sort(onProgress: (fraction: number) => Promise<void>): Promise<void> {
    this.#database.exec("COMMIT");
    this.#names.clear();
    this.#database.exec(
      "CREATE INDEX copy_of ON copy (conversation, message); CREATE INDEX stub_of ON stub (name)",
    );
    const last = Number(this.#sql.countConversations.get()?.["count"]);
    for (let from = 1; from <= last; from += sortAtOnce) {
      await onProgress(from / last);
      this.#sql.sort.run(from, from + sortAtOnce - 1);
    }
  }

  /** Number of all messages, with any outcome. */
  get messageCount(): number {
    return Number(this.#sql.countMessages.get()?.["count"]);
  }

  get stubCount(): number {
    return Number(this.#sql.countStubs.get()?.["count"]);
  }

  /** Conversations behind an id. */
  conversations(after: number, limit: number): readonly SpooledConversation[] {
    return this.#sql.conversations.all(after, limit).map((row) => ({
      id: row["id"] as number,
      app: row["app"] as string,
      conversation: row["name"] as string,
      kind: row["kind"] as SpooledConversation["kind"],
    }));
  }

  /** The number of a conversation's messages, and the last one. */
  extent(id: number): { readonly messages: number; readonly lastMessageId: string | null } {
    const messages = Number(this.#sql.countOf.get(id)?.["count"]);
    const lastMessageId = (this.#sql.last.get(id)?.["message"] as string | undefined) ?? null;
    return { messages, lastMessageId };
  }

  group(id: number): OriginalGroup | null {
    const value = this.#sql.group.get(id)?.["value"];
    return typeof value === "string" ? JSON.parse(value) : null;
  }

  entries(id: number): ReadonlyMap<string, OriginalListEntry> {
    return new Map(
      this.#sql.entries
        .all(id)
        .map((row) => [
          row["user"] as string,
          { isNew: row["is_new"] === 1, isArchived: row["is_archived"] === 1 },
        ]),
    );
  }

  /** Messages of a conversation in their order, behind `after`. */
  messages(id: number, after: SpooledMessage | null, limit: number): readonly SpooledMessage[] {
    return this.#sql.messages.all(id, after?.timestamp ?? -1, after?.messageId ?? "", limit).map((row) => ({
      messageId: row["message"] as string,
      timestamp: row["at"] as number,
      isTimeKnown: row["known"] === 1,
    }));
  }

  /** Copies of a message. The first one is the copy whose content counts. */
  copies(id: number, messageId: string): readonly SpooledCopy[] {
    return this.#sql.copies.all(id, messageId).map((row) => ({
      owner: row["owner"] as string | null,
      status: row["status"] as number,
      tempUid: row["temp_uid"] as string | null,
      document: row["document"] as DocumentKey,
    }));
  }

  /** Receipts that named a message by this id. */
  stubs(name: string): readonly { readonly owner: string; readonly status: number }[] {
    return this.#sql.stubs
      .all(name)
      .map((row) => ({ owner: row["owner"] as string, status: row["status"] as number }));
  }

  /** Removes the file. */
  close(): void {
    this.#database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #name(text: string): number {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const row = this.#sql.findName.get(text) ?? this.#sql.addName.get(text);
    return this.#remember(text, row?.["id"] as number);
  }

  #conversation(app: string, name: string, kind: string): number {
    const key = `${app}\n${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const row = this.#sql.findConversation.get(app, name) ?? this.#sql.addConversation.get(app, name, kind);
    return this.#remember(key, row?.["id"] as number);
  }

  #remember(key: string, id: number): number {
    if (this.#names.size >= maxNames) this.#names.clear();
    this.#names.set(key, id);
    return id;
  }
}

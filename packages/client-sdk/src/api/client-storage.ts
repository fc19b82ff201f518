import type { Mark } from "@chat21/protocol";
import { ChatError, isErrorCode } from "@chat21/protocol";
import type { TokenUser } from "../connection/token-keeper.ts";
import { wireIdOf } from "../connection/wire-id.ts";
import type { MarksRecord } from "../outbox/mark-keeper.ts";
import { newId } from "../outbox/new-id.ts";
import type { OutboxRecord } from "../outbox/outbox-entry.ts";
import type { RecordStore } from "../outbox/record-store.ts";
import type { Positions } from "../sync/positions.ts";
import { isDeviceId } from "./options.ts";
import type { Storage, StorageCollection } from "./storage.ts";

/** One user's records in a {@link Storage}. Reading never fails: what cannot be read is left out, and reported. */
export interface ClientStorage {
  readonly outbox: RecordStore<OutboxRecord>;
  readonly marks: RecordStore<MarksRecord>;
  /** Notes that this user signed in. */
  noteUser(): Promise<void>;
  /** The device's id, made at first use. */
  deviceId(): Promise<string>;
  positions(): Promise<Positions | undefined>;
  putPositions(positions: Positions): Promise<void>;
}

/** Hears of everything that the storage could not give or take. */
export type HandleProblem = (error: ChatError) => void;

/** The user who signed in last; `undefined` before the first one. */
export async function lastUser(storage: Storage, report: HandleProblem): Promise<TokenUser | undefined> {
  return createReader(storage, report)("user", ({ app, user }) =>
    typeof app === "string" && typeof user === "string" ? { app, user } : undefined,
  );
}

/** Scopes a storage to one user of one app. */
export function clientStorage(
  storage: Storage,
  app: string,
  user: string,
  report: HandleProblem,
): ClientStorage {
  // An id may hold a slash; its form on the wire has none, so that no scope begins like another one.
  const scope = `${app}/${wireIdOf(user)}/`;
  const read = createReader(storage, report);
  const note = (key: string, value: unknown) =>
    storage.put("meta", key, value).catch((cause) => report(problem(key, cause)));
  async function list<Value>(
    collection: StorageCollection,
    parse: (fields: Fields, id: string, reportDamage: () => void) => Value | undefined,
  ): Promise<readonly Value[]> {
    const stored = await storage.list(collection, scope).catch((cause) => report(problem(scope, cause)));
    return (stored ?? []).flatMap(({ key, value }) => {
      const reportDamage = () => report(problem(key));
      const record = parse(fieldsOf(value), key.slice(scope.length), reportDamage);
      if (record === undefined) reportDamage();
      return record ?? [];
    });
  }
  return {
    outbox: {
      list: () => list("outbox", outboxRecordOf),
      put: (record) => storage.put("outbox", scope + record.clientMessageId, record),
      delete: (clientMessageId) => storage.delete("outbox", scope + clientMessageId),
    },

    marks: {
      list: () => list("marks", marksRecordOf),
      put: ({ id, ...record }) => storage.put("marks", scope + id, record),
      delete: (id) => storage.delete("marks", scope + id),
    },

    noteUser: () => note("user", { app, user }),

    async deviceId() {
      const key = `${scope}device`;
      const known = await read(key, (_, value) => (isDeviceId(value) ? value : undefined));
      if (known !== undefined) return known;
      const id = newId();
      await note(key, id);
      return id;
    },

    positions: () => read(`${scope}positions`, positionsOf),

    putPositions: (positions) => storage.put("meta", `${scope}positions`, positions),
  };
}

/** Fields of a record, of which any may be missing or anything. */
type Fields = Readonly<Record<string, unknown>>;

/** Reads the value of a record, or as much of it as is sound, and tells whether something is not. */
type Parse<Value> = (fields: Fields, value: unknown, reportDamage: () => void) => Value | undefined;

function createReader(storage: Storage, report: HandleProblem) {
  return async <Value>(key: string, parse: Parse<Value>): Promise<Value | undefined> => {
    const value = await storage.get("meta", key).catch((cause) => report(problem(key, cause)));
    if (value === undefined) return undefined;
    const reportDamage = () => report(problem(key));
    const parsed = parse(fieldsOf(value), value, reportDamage);
    if (parsed === undefined) reportDamage();
    return parsed;
  };
}

function problem(key: string, cause?: unknown): ChatError {
  return new ChatError("internal", `the storage failed, or is damaged, at ${key}`, { cause });
}

// Everything but `null` and `undefined` has fields, if none of ours.
function fieldsOf(value: unknown): Fields {
  return value ?? Object.create(null);
}

/** A message that somebody wrote: only its recipient and its text are needed. */
function outboxRecordOf(fields: Fields, clientMessageId: string): OutboxRecord | undefined {
  const { to, body, order, createdAt, failure } = fields;
  if (typeof to !== "string" || wireIdOf(to) === "" || typeof fieldsOf(body)["text"] !== "string")
    return undefined;
  const { code, message } = fieldsOf(failure);
  return {
    to,
    body: fieldsOf(body),
    clientMessageId,
    order: isCount(order) ? order : 0,
    createdAt: isCount(createdAt) ? createdAt : 0,
    ...(isErrorCode(code) && { failure: { code, message: `${message}` } }),
  };
}

/** The sound watermarks of a record. A record without any is dropped by its reader. */
function marksRecordOf({ epoch, marks }: Fields, id: string, reportDamage: () => void): MarksRecord {
  const listed: readonly unknown[] = Array.isArray(marks) ? marks : [];
  const sound = listed.flatMap((mark) => markOf(fieldsOf(mark)) ?? []);
  const isWhole = typeof epoch === "string" && Array.isArray(marks) && sound.length === listed.length;
  if (!isWhole) reportDamage();
  return { id, epoch: typeof epoch === "string" ? epoch : "", marks: sound };
}

function markOf({ conversWith, delivered, read }: Fields): Mark | undefined {
  if (typeof conversWith !== "string" || wireIdOf(conversWith) === "") return undefined;
  if (!isCount(delivered) && !isCount(read)) return undefined;
  return { conversWith, ...(isCount(delivered) && { delivered }), ...(isCount(read) && { read }) };
}

function positionsOf(
  { epoch, checkedAt, cursor, positions }: Fields,
  _: unknown,
  reportDamage: () => void,
): Positions | undefined {
  if (typeof epoch !== "string" || !isCount(checkedAt)) return undefined;
  const listed = Object.entries(fieldsOf(positions));
  const sound = listed.flatMap(([conversWith, value]) => {
    const { seq, seenAt } = fieldsOf(value);
    return isCount(seq) ? [[conversWith, isCount(seenAt) ? { seq, seenAt } : { seq }] as const] : [];
  });
  const isWhole = typeof positions === "object" && sound.length === listed.length;
  if (!isWhole) reportDamage();
  return {
    epoch,
    checkedAt,
    positions: Object.fromEntries(sound),
    // Without a cursor all conversations are listed again, those with a lost position, too.
    ...(isWhole && typeof cursor === "string" && { cursor }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

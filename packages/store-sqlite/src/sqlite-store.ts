import type { RevocationStore, ServerKeyStore } from "@chat21/auth";
import type { ConversationView, Log, Store } from "@chat21/engine";
import type { WebhookStore } from "@chat21/events";
import type { PeopleStore } from "@chat21/people";
import { directConversationId } from "@chat21/protocol";
import { unpackChanges } from "./changes-codec.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { createSqliteEventLog } from "./sqlite-event-log.ts";
import {
  createSqliteInstances,
  createSqlitePresence,
  createSqliteRevocations,
  createSqliteServerKeys,
  createSqliteUsers,
} from "./sqlite-people.ts";
import { createSqliteWebhooks } from "./sqlite-webhooks.ts";
import type { ReaderMethods, ReaderSideMethods } from "./worker/reader-methods.ts";
import type { WriterMethods, WriterSideMethods } from "./worker/writer-methods.ts";
import type { Read, Write } from "./worker-calls.ts";
import type { WorkerLink } from "./worker-link.ts";

/** Parts of {@link createSqliteStore}. */
export interface SqliteStoreParts {
  readonly epoch: string;
  readonly writer: WorkerLink;
  readonly reader: WorkerLink;
  readonly log: Log | undefined;
  /** Called once, after both workers have ended. */
  readonly release: () => void;
}

/** The engine's store, and the other things that are kept in the same database. */
export interface SqliteStore extends Store, PeopleStore {
  readonly revocations: RevocationStore;
  readonly serverKeys: ServerKeyStore;
  readonly webhooks: WebhookStore;
}

/** The ports over the two workers. */
export function createSqliteStore({ epoch, writer, reader, log, release }: SqliteStoreParts): SqliteStore {
  const write: Write = writer.caller<WriterMethods & WriterSideMethods>();
  const read: Read = reader.caller<ReaderMethods & ReaderSideMethods>();
  const note = writer.note.bind(writer);
  const { saveMarks, ...events } = createSqliteEventLog({ write, read, note, log });
  writer.onNotice(createCheckpoints(write, read, log));
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    await saveMarks();
    // The writer last: it carries the log over and removes it.
    await reader.close();
    await writer.close();
    release();
  }

  return {
    epoch,
    events,
    conversations: {
      load: (keys) => read("load", keys),
      list: async (query) => JSON.parse(await read("list", query)) as ConversationView[],
      changes: async (query) => unpackChanges(await read("changes", query)),
      view: (app, conversation, user) => read("view", app, conversation, user),
      heads: (app, user, limit, after) => read("heads", app, user, limit, after ?? null),
      groups: (query) => read("groups", query),
      patch: (patches) => write("patch", patches),
      peers: (app, user, limit, after) =>
        read("peers", app, user, limit, after === undefined ? null : directConversationId(user, after)),
    },
    instances: createSqliteInstances(write, read),
    overlays: {
      amended: (types, limit, after) => read("amended", types, limit, after),
      replace: (conversation, overlays) => write("replaceOverlays", conversation, overlays),
    },
    presence: createSqlitePresence(write, read),
    revocations: createSqliteRevocations(write, read, log),
    serverKeys: createSqliteServerKeys(write, read),
    users: createSqliteUsers(write, read, log),
    webhooks: createSqliteWebhooks(write, read),
    close() {
      closed ??= close();
      return closed;
    },
  };
}

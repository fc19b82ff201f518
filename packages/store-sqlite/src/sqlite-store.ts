import { setTimeout as delay } from "node:timers/promises";
import type { EventLog, Log, Run, Store, WebhookStore } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { bulkStep } from "./bulk-step.ts";
import { DispatchMarks } from "./dispatch-marks.ts";
import { decodeRunResult, encodeRun } from "./run-codec.ts";
import type { ReaderMethods, ReaderSideMethods } from "./worker/reader-methods.ts";
import type { WriterMethods, WriterNotes, WriterSideMethods } from "./worker/writer-methods.ts";
import type { Call, WorkerLink } from "./worker-link.ts";

/** What {@link createSqliteStore} is made of. */
export interface SqliteStoreParts {
  readonly epoch: string;
  readonly writer: WorkerLink;
  readonly reader: WorkerLink;
  readonly log: Log | undefined;
  /** Called once, after both workers have ended. */
  readonly release: () => void;
}

type Write = Call<WriterMethods & WriterSideMethods>;
type Read = Call<ReaderMethods & ReaderSideMethods>;

/** Marks wait this long for a commit to travel with. */
const idleMarksMs = 2_000;

/** About so many pages are written between two checkpoints (16 MiB), reckoned as 4 for a commit and 2 for an event. */
const pagesPerCheckpoint = 4_000;

/** How long an erasure tries to empty the write-ahead log while readers (an online backup) still need it. */
const truncateAttempts = 20;
const truncateRetryMs = 250;

function createCheckpoints(
  write: Write,
  read: Read,
  log: Log | undefined,
): (commits: number, events: number) => void {
  let pages = 0;
  let running = false;
  const run = async () => {
    running = true;
    pages = 0;
    try {
      await read("checkpoint");
      await write("finishCheckpoint");
    } catch (error) {
      log?.warn({ err: error }, "a checkpoint failed; the next one carries on");
    }
    running = false;
  };
  return (commits, events) => {
    pages += 4 * commits + 2 * events;
    if (pages >= pagesPerCheckpoint && !running) void run();
  };
}

async function emptyLog(write: Write, log: Log | undefined): Promise<void> {
  for (let attempt = 0; attempt < truncateAttempts; attempt += 1) {
    if (await write("truncateLog")) return;
    await delay(truncateRetryMs);
  }
  log?.warn({}, "what was erased stays in the write-ahead log until a running backup ends");
}

function createEventLog(parts: SqliteStoreParts, write: Write, read: Read): EventLog & { sendMarks(): void } {
  const { writer, log } = parts;
  const marks = new DispatchMarks();
  const countPages = createCheckpoints(write, read, log);
  let isIdleTimerSet = false;

  const note = <Name extends keyof WriterNotes>(name: Name, ...args: Parameters<WriterNotes[Name]>) =>
    writer.note(name, args);
  const sendMarks = () => {
    if (!marks.isEmpty) note("markDispatched", marks.take());
  };

  async function saveMarks(): Promise<void> {
    isIdleTimerSet = false;
    if (marks.isEmpty) return;
    sendMarks();
    await write("saveMarks").catch((error) => log?.warn({ err: error }, "dispatch marks were not saved"));
  }

  async function commit(runs: readonly Run[]) {
    sendMarks();
    const encoded = runs.map(encodeRun);
    const results = await write("commit", encoded);
    countPages(
      1,
      runs.reduce((sum, run) => sum + run.events.length, 0),
    );
    return results.map(decodeRunResult);
  }

  async function erase(where: Parameters<EventLog["erase"]>[0]) {
    const { app } = where;
    const conversation = where.conversation ?? null;
    const sender = where.sender ?? null;
    if (conversation === null && sender === null) {
      throw new ChatError("bad_request", "erase needs a conversation or a sender");
    }
    let erased = 0;
    for (let next: number | null = 1; next !== null; ) {
      const step: { erased: number; next: number | null } = await write(
        "erase",
        { app, conversation, sender },
        next,
      );
      erased += step.erased;
      next = step.next;
    }
    if (erased > 0) await emptyLog(write, log);
    return erased;
  }

  return {
    commit,
    erase,
    sendMarks,
    read: (range) => read("readEvents", range),
    find: (app, conversation, id) => read("findEvent", app, conversation, id),
    findByClientMessageId: (app, sender, id) => read("findByClientMessageId", app, sender, id),
    undispatched(limit, committedBefore) {
      sendMarks();
      return write("undispatched", limit, committedBefore);
    },
    markDispatched(refs) {
      marks.add(refs);
      if (isIdleTimerSet) return;
      isIdleTimerSet = true;
      setTimeout(() => void saveMarks(), idleMarksMs).unref();
    },
  };
}

function createWebhooks(write: Write, read: Read): WebhookStore {
  /** Bulk changes go in small transactions, so that commits of messages get their turn in between. */
  async function inSteps(step: () => Promise<number>): Promise<number> {
    let total = 0;
    for (let changed = bulkStep; changed >= bulkStep; ) {
      changed = await step();
      total += changed;
    }
    return total;
  }
  return {
    enqueue: (deliveries) => write("enqueueWebhooks", deliveries),
    lease: (lease) => write("leaseWebhooks", lease),
    settle: (outcomes) => write("settleWebhooks", outcomes),
    due: () => read("dueWebhooks"),
    list: (query) => read("listWebhooks", query),
    replay: (where, now) =>
      "ids" in where
        ? write("replayWebhooks", where.ids, now)
        : inSteps(() => write("replayDeadWebhooks", where.deadOf, now)),
    giveUp: (endpoint, queuedBefore, now, error) =>
      inSteps(() => write("giveUpWebhooks", endpoint, queuedBefore, now, error)),
    prune: (state, settledBefore, limit) => write("pruneWebhooks", state, settledBefore, limit),
  };
}

async function expirePresence(write: Write, now: number) {
  const gone: { app: string; user: string }[] = [];
  for (let more = true; more; ) {
    const step = await write("expirePresence", now);
    gone.push(...step.gone);
    more = step.more;
  }
  return gone;
}

/** The port over the two workers. */
export function createSqliteStore(parts: SqliteStoreParts): Store {
  const write: Write = parts.writer.caller<WriterMethods & WriterSideMethods>();
  const read: Read = parts.reader.caller<ReaderMethods & ReaderSideMethods>();
  const { sendMarks, ...events } = createEventLog(parts, write, read);
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    sendMarks();
    await write("saveMarks").catch((error) =>
      parts.log?.warn({ err: error }, "dispatch marks were not saved"),
    );
    // The writer last: it carries the log over and removes it.
    await parts.reader.close();
    await parts.writer.close();
    parts.release();
  }

  return {
    epoch: parts.epoch,
    events,
    webhooks: createWebhooks(write, read),
    conversations: {
      load: (keys) => read("load", keys),
      list: (query) => read("list", query),
      view: (app, conversation, user) => read("view", app, conversation, user),
      heads: (app, user, limit) => read("heads", app, user, limit),
      patch: (patches) => write("patch", patches),
      memberStates: (app, conversation) => read("memberStates", app, conversation),
      peers: (app, user, limit) => read("peers", app, user, limit),
    },
    instances: {
      put: (instance) => write("putInstance", instance),
      list: (app, user) => read("listInstances", app, user),
    },
    presence: {
      renew: (leases, now) => write("renewPresence", leases, now),
      end: (app, user, clientId, now) => write("endPresence", app, user, clientId, now),
      expire: (now) => expirePresence(write, now),
      get: (app, users, now) => read("getPresence", app, users, now),
    },
    revocations: {
      add: (revocation) => write("addRevocation", revocation),
      list: (now) => read("listRevocations", now),
    },
    users: {
      put: (user) => write("putUser", user),
      get: (app, id) => read("getUser", app, id),
      list: (app, limit, after) => read("listUsers", app, limit, after),
      delete: (app, id) => write("deleteUser", app, id),
      async erase(app, id) {
        const erased = await write("eraseUser", app, id);
        await emptyLog(write, parts.log);
        return erased;
      },
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

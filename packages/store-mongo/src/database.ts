import { setTimeout as delay } from "node:timers/promises";
import { ChatError } from "@chat21/protocol";
import type { mongo } from "mongoose";
import type { Collections } from "./collections.ts";
import { type Ticks, toTicks } from "./logical-time.ts";
import {
  isCommitUnknown,
  isDuplicate,
  isSnapshotMissing,
  isTransient,
  toChatError,
} from "./mongo-failure.ts";

/** How long a transaction that lost against another, or a read without its snapshot, is tried again, milliseconds. */
const patienceMs = 5_000;

/** Longest pause between two attempts. Each pause is chosen at random below it, so that rivals do not meet again. */
const maxPauseMs = 100;

const transactionOptions = {
  readConcern: { level: "snapshot" },
  writeConcern: { w: "majority", journal: true, wtimeoutMS: 10_000 },
  readPreference: "primary",
} as const;

/** Options of {@link Database}. */
export interface DatabaseOptions {
  readonly client: mongo.MongoClient;
  readonly collections: Collections;
  /** No query may take longer on the server, milliseconds. */
  readonly queryTimeoutMs: number;
}

/**
 * The one door to MongoDB: counts calls so that a close waits for them, and turns every failure into a `ChatError`.
 */
export class Database {
  readonly collections: Collections;
  readonly queryTimeoutMs: number;
  readonly #client: mongo.MongoClient;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing = false;

  constructor({ client, collections, queryTimeoutMs }: DatabaseOptions) {
    this.#client = client;
    this.collections = collections;
    this.queryTimeoutMs = queryTimeoutMs;
  }

  /** Does something for a caller of the port. */
  async call<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new ChatError("store_unavailable", "the store is closed");
    const running = run().catch((thrown) => {
      throw toChatError(thrown);
    });
    const settled = running.catch(() => {});
    this.#underWay.add(settled);
    try {
      return await running;
    } finally {
      this.#underWay.delete(settled);
    }
  }

  /** Refuses further calls, and resolves when those under way have ended. */
  async drain(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#underWay);
  }

  /** A logical time: every read that begins after this call sees the writes before it. */
  async time(): Promise<Ticks> {
    const { lastWrite } = await this.#client.db("admin").command({ hello: 1 });
    return toTicks(lastWrite.majorityOpTime.ts);
  }

  /**
   * Reads of one moment; they see everything that was acknowledged before. `read` may be called several times: the server
   * has no snapshot of a collection in the moment in which it is made.
   */
  snapshot<T>(read: (session: mongo.ClientSession) => Promise<T>): Promise<T> {
    return this.#retry(isSnapshotMissing, async () => {
      const session = this.#client.startSession({ snapshot: true });
      try {
        return await read(session);
      } finally {
        await session.endSession();
      }
    });
  }

  /**
   * The documents of a cursor that was opened in a snapshot's session. When the reader ends early, so does the cursor:
   * the driver asks for its end with the session's read concern, which the server refuses, and a cursor that is left
   * holds its sorted documents in the server's memory for minutes.
   */
  async *walk<T>(cursor: mongo.FindCursor<T>): AsyncGenerator<T> {
    try {
      for (let item = await cursor.next(); item !== null; item = await cursor.next()) yield item;
    } finally {
      const { id, namespace } = cursor;
      await cursor.close();
      if (id !== undefined && !id.isZero()) {
        const kill = { killCursors: namespace.collection, cursors: [id] };
        await this.#client.db(namespace.db).command(kill);
      }
    }
  }

  /**
   * All or nothing, isolated from others. `run` may be called several times: it must not keep state of a call that was
   * given up. Where rivals are always faster, this gives up after `forMs`.
   */
  transaction<T>(run: (session: mongo.ClientSession) => Promise<T>, forMs: number = patienceMs): Promise<T> {
    const hasRival = (thrown: unknown) => isTransient(thrown) || isDuplicate(thrown);
    return this.#retry(hasRival, () => this.#tryTransaction(run), forMs);
  }

  async #retry<T>(
    mayPass: (thrown: unknown) => boolean,
    run: () => Promise<T>,
    forMs: number = patienceMs,
  ): Promise<T> {
    const startedAt = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run();
      } catch (thrown) {
        if (!mayPass(thrown) || performance.now() - startedAt >= forMs) throw thrown;
        await delay(Math.random() * Math.min(maxPauseMs, 2 ** attempt));
      }
    }
  }

  async #tryTransaction<T>(run: (session: mongo.ClientSession) => Promise<T>): Promise<T> {
    const session = this.#client.startSession();
    try {
      session.startTransaction(transactionOptions);
      const value = await run(session);
      await commitOf(session);
      return value;
    } finally {
      // Ends an open transaction as well.
      await session.endSession();
    }
  }
}

/** A commit may be sent again whatever became of the first. */
async function commitOf(session: mongo.ClientSession): Promise<void> {
  try {
    await session.commitTransaction();
  } catch (thrown) {
    if (!isCommitUnknown(thrown)) throw thrown;
    await session.commitTransaction();
  }
}

import type { SyncResponse } from "@chat21/protocol";
import { app } from "../targets/target.ts";
import type { HttpReader } from "./http-reader.ts";

/** The result of a sync, all its pages together. */
export interface ReadChanges {
  /** The sum of the requests' times, without the reader's own work on the answers. */
  readonly ms: number;
  readonly bytes: number;
  readonly pages: number;
  /** The cursor at which the next sync begins. */
  readonly cursor: string;
  /** Number of the newest event that came, by conversation; 0 where only the state came. */
  readonly newest: ReadonlyMap<string, number>;
}

const settlePollMs = 500;
const settlePatienceMs = 60_000;

/** Syncs until there is no more. Without a cursor: everything. */
export async function readChanges(reader: HttpReader, from: string | undefined): Promise<ReadChanges> {
  const newest = new Map<string, number>();
  let [ms, bytes, pages, cursor] = [0, 0, 0, from];
  for (;;) {
    const answer = await reader.post(`/v1/${app}/sync`, cursor === undefined ? {} : { cursor });
    const page = answer.json() as SyncResponse;
    ms += answer.ms;
    bytes += answer.bytes;
    pages++;
    cursor = page.cursor;
    for (const { state, events } of page.conversations) {
      const known = newest.get(state.conversWith) ?? 0;
      newest.set(state.conversWith, Math.max(known, events.at(-1)?.seq ?? 0));
    }
    if (!page.more) return { ms, bytes, pages, cursor, newest };
  }
}

/**
 * Answers a cursor after which nothing has changed. On the cluster the changes of the last seconds come once more, so
 * this may take some seconds. Throws when it never comes to an end.
 */
export async function readToEnd(reader: HttpReader, from: string | undefined): Promise<string> {
  const deadlineMs = performance.now() + settlePatienceMs;
  for (let cursor = from; performance.now() < deadlineMs; ) {
    const changes = await readChanges(reader, cursor);
    if (cursor !== undefined && changes.newest.size === 0) return changes.cursor;
    cursor = changes.cursor;
    if (changes.newest.size > 0) await new Promise((resolve) => setTimeout(resolve, settlePollMs));
  }
  throw new Error(`sync still finds changes after ${settlePatienceMs / 1_000} s without a message`);
}

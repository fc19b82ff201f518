import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { limits } from "@chat21/protocol";
import type { Response } from "express";
import { type JsonList, type ListReply, sendReply } from "./reply.ts";

/** A piece of a list goes out when it has so many characters: fewer, larger writes, and little in memory. */
const pieceCharacters = 16 * 1024;

/**
 * Writes a list as its items come, not faster than the reader takes them. A list of one piece goes with its length,
 * like any other reply. Nothing is sent before the first piece is complete: an error until then can still be answered
 * with a status. A later error ends the connection, so that half a list never looks like a complete one; it is thrown,
 * too. A reader that leaves, or takes nothing for `stallMs`, ends the items.
 */
export async function sendList(
  response: Response,
  { list, ...head }: ListReply,
  stallMs: number = limits.readerStallMs,
): Promise<void> {
  const pieces = piecesOf(list);
  const first = await pieces.next();
  if (first.done === true) {
    sendReply(response, { ...head, body: first.value });
    return;
  }
  if (response.closed || response.req.method === "HEAD") {
    await pieces.return("");
    sendReply(response, head);
    return;
  }
  response
    .status(head.status)
    .set(head.headers ?? {})
    .set("content-type", head.type);
  disconnectStalled(response, stallMs);
  const source = Readable.from(joined(first.value, pieces), {
    objectMode: false,
    highWaterMark: pieceCharacters,
  });
  try {
    await pipeline(source, response);
  } catch (thrown) {
    if (!isReaderGone(thrown)) throw thrown;
  }
}

/** Disconnects a reader that takes nothing of its answer for `stallMs`: it would block its place for ever. */
export function disconnectStalled(response: ServerResponse, stallMs: number = limits.readerStallMs): void {
  response.setTimeout(stallMs, () => response.destroy());
}

/** The list's text in pieces; the last one is the returned value. */
async function* piecesOf({ before, items, after }: JsonList): AsyncGenerator<string, string> {
  let text = before;
  let separator = "";
  try {
    for (;;) {
      const next = await items.next();
      if (next.done === true) return text + after(next.value);
      text += separator + next.value;
      separator = ",";
      if (text.length < pieceCharacters) continue;
      yield text;
      text = "";
    }
  } finally {
    await items.return(null);
  }
}

async function* joined(first: string, rest: AsyncGenerator<string, string>): AsyncGenerator<string, void> {
  yield first;
  const last = yield* rest;
  yield last;
}

function isReaderGone(thrown: unknown): boolean {
  return (thrown as { readonly code?: unknown } | null)?.code === "ERR_STREAM_PREMATURE_CLOSE";
}

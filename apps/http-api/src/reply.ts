import type { JsonItems, JsonText } from "@chat21/engine";
import { outsideJson } from "@chat21/protocol";
import type { Response } from "express";

/** The reply to a caller. */
export interface Reply {
  readonly status: number;
  /** Absent: no body at all. */
  readonly type?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Headers = Readonly<Record<string, string>>;

/** A value as JSON. */
export function json(status: number, value: unknown, headers: Headers = {}): Reply {
  return jsonText(status, JSON.stringify(value), headers);
}

/** A text that is JSON already. */
export function jsonText(status: number, body: JsonText, headers: Headers = {}): Reply {
  return { status, type: "application/json; charset=utf-8", body, headers };
}

/** A JSON text around items that come one by one. */
export interface JsonList {
  readonly before: string;
  readonly items: JsonItems;
  /** The end of the text; `cursor` is that of the next page. */
  readonly after: (cursor: string | null) => string;
}

/** The reply to a caller with a list of any length. */
export interface ListReply {
  readonly status: number;
  readonly type: string;
  readonly list: JsonList;
  readonly headers?: Headers;
}

/** A list of texts that are JSON already. They are not parsed, and never all in memory at the same time. */
export function jsonList(status: number, list: JsonList): ListReply {
  return { status, type: "application/json; charset=utf-8", list };
}

/** A sentence as plain text. It never holds input of the caller. */
export function plainText(status: number, body: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body };
}

/** No body. */
export function empty(status: number): Reply {
  return { status };
}

/** A reply of `v1`: users' ids as they are outside. */
export function outsideReply(reply: Reply): Reply {
  return reply.body === undefined ? reply : { ...reply, body: outsideJson(reply.body) };
}

/** {@link outsideReply} for a list. */
export function outsideList(reply: ListReply): ListReply {
  const { before, items, after } = reply.list;
  return { ...reply, list: { before, items: outsideItems(items), after } };
}

async function* outsideItems(items: JsonItems): JsonItems {
  try {
    for (;;) {
      const next = await items.next();
      if (next.done === true) return next.value;
      yield outsideJson(next.value);
    }
  } finally {
    await items.return(null);
  }
}

/** Writes a reply. */
export function sendReply(response: Response, { status, type, body, headers = {} }: Reply): void {
  response.status(status).set(headers);
  if (type === undefined || body === undefined) response.end();
  else response.set("content-type", type).send(body);
}

import { ChatError, limits } from "@chat21/protocol";
import express, { type Request, type Response } from "express";
import type { Route } from "./route.ts";
import { runMiddleware } from "./run-middleware.ts";

const types = ["application/json", "application/*+json"];

/** A route's rules for reading its bodies. */
type BodyRules = Pick<Route, "api" | "bodyBytes">;

/** Error for a request body that is no JSON: the existing API answers it with a page of its own. */
export class UnreadableBody extends ChatError {
  constructor(cause: unknown) {
    super("bad_request", "the body is not well-formed JSON", { cause });
  }
}

/**
 * The JSON body, `{}` when there is none. Throws `payload_too_large`, `UnreadableBody`, and `bad_request` for dangerous
 * JSON: nesting beyond `limits.payloadDepth`, or a key with a meaning for an object's prototype.
 */
export async function readJson(request: Request, response: Response, rules: BodyRules): Promise<unknown> {
  const body: unknown = (await parse(express.json, request, response, rules)) ?? {};
  requireHarmless(body);
  return body;
}

/** The body as text, unparsed. Throws `payload_too_large` and `UnreadableBody` (a charset that cannot be decoded). */
export async function readText(request: Request, response: Response, rules: BodyRules): Promise<string> {
  const body: unknown = await parse(express.text, request, response, rules);
  return typeof body === "string" ? body : "";
}

async function parse(
  makeParser: typeof express.json | typeof express.text,
  request: Request,
  response: Response,
  { api, bodyBytes = limits.bodyBytes }: BodyRules,
): Promise<unknown> {
  // The existing API treats a body of another type as absent; the new API refuses it.
  if (api !== "v0" && request.is(types) === false) {
    throw new ChatError("unsupported_media_type", "expected a body of type application/json");
  }
  try {
    await runMiddleware(makeParser({ limit: bodyBytes, type: types }), request, response);
  } catch (thrown) {
    if ((thrown as { type?: unknown }).type === "entity.too.large") {
      throw new ChatError("payload_too_large", `a body has at most ${bodyBytes} bytes`, { cause: thrown });
    }
    if ((thrown as { status?: unknown }).status === 415 && api !== "v0") {
      const what = "expected a body in UTF-8, plain or compressed with gzip, deflate or br";
      throw new ChatError("unsupported_media_type", what, { cause: thrown });
    }
    throw new UnreadableBody(thrown);
  }
  return request.body;
}

function requireHarmless(body: unknown): void {
  const pending: (readonly [value: unknown, depth: number])[] = [[body, 1]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [value, depth] = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth > limits.payloadDepth) {
      throw new ChatError("bad_request", `a body nests at most ${limits.payloadDepth} levels`);
    }
    if (Object.hasOwn(value, "__proto__"))
      throw new ChatError("bad_request", 'no key may be called "__proto__"');
    for (const child of Object.values(value)) pending.push([child, depth + 1]);
  }
}

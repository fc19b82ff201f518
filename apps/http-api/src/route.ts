import type { VerifiedToken } from "@chat21/auth";
import type { ErrorCode } from "@chat21/protocol";
import type { Request } from "express";
import type * as z from "zod";
import type { Need } from "./permits.ts";
import type { ApiKind, Refusals } from "./refusal.ts";
import type { ListReply, Reply } from "./reply.ts";
import type { Services } from "./services.ts";

/** Callers that a route may allow. */
export const callers = {
  public: "anybody, without a token",
  local: "anybody on this machine, through a page of this server",
  token: "any valid token",
  app: "a token of the app in the path",
  self: "the user in the path, or an admin of its app",
  member: "a member of what the path names, or an admin of its app",
  reader: "a member of what the path names; an admin of its app names one in `user`",
  owner: "the owner of the group in the path, or an admin of its app",
  admin: "an admin of the app in the path",
} as const;

/** A key of {@link callers}. `member`, `reader` and `owner` are decided by the engine, all others before the route runs. */
export type Caller = keyof typeof callers;

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

/** A request that has passed everything the table asks for. */
export interface RouteRequest<
  Params extends string = string,
  Who extends Caller = Caller,
  Query = unknown,
  Body = unknown,
> {
  readonly actor: Who extends "public" | "local" ? undefined : VerifiedToken;
  readonly params: Readonly<Record<Params, string>>;
  readonly query: Query;
  readonly body: Body;
  /** The body as it came, for routes that declare `text`. */
  readonly text: string;
  readonly http: Request;
}

/** One answer of a route, for the documentation. */
export interface RouteAnswer {
  readonly description: string;
  /** @default no body */
  readonly schema?: z.core.$ZodType;
  /** @default "application/json" */
  readonly contentType?: string;
}

/** Definition of a route. */
export interface RouteSpec<
  Path extends string,
  Who extends Caller,
  Query extends z.core.$ZodType,
  Body extends z.core.$ZodType,
> {
  /** Unique name: label of metrics and operation id of the documentation. */
  readonly id: string;
  readonly api: ApiKind;
  readonly method: "delete" | "get" | "patch" | "post" | "put";
  /** With `{name}` for a segment that varies. */
  readonly path: Path;
  /** Whether `path` begins at the API's base path or at the root. @default "api" */
  readonly at?: "api" | "root";
  readonly who: Who;
  /** The use of own topics that the token's scopes must open. @default "read" for `get`, else "write" */
  readonly needs?: Need;
  readonly summary: string;
  readonly query?: Query;
  /** Schema of a JSON body. An absent body counts as `{}`. */
  readonly body?: Body;
  /** Schema of a JSON body that the route takes as text; code below the route checks it. */
  readonly text?: z.core.$ZodType;
  /** Largest body, in bytes. @default limits.bodyBytes */
  readonly bodyBytes?: number;
  /** Expensive to answer: only a few requests of one user are answered at the same time. @default false */
  readonly heavy?: boolean;
  /** A call that succeeds, for the documentation and the tests. */
  readonly example?: { readonly query?: string; readonly body?: unknown };
  /** Its answers for success; refusals follow from `api`. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** Codes that it may answer with, beside those that follow from its form. */
  readonly problems?: readonly ErrorCode[];
  /** Refusals for which the existing API has bodies of its own. */
  readonly refusals?: Refusals;
  handle(
    request: RouteRequest<ParamNames<Path>, Who, z.output<Query>, z.output<Body>>,
    services: Services,
  ): Promise<ListReply | Reply> | ListReply | Reply;
}

/** A line of the route table. */
export type Route = RouteSpec<string, Caller, z.core.$ZodType, z.core.$ZodType>;

/** Checks a route's handler against its path and schemas. */
export function defineRoute<
  const Path extends string,
  const Who extends Caller,
  Query extends z.core.$ZodType = z.core.$ZodType<undefined>,
  Body extends z.core.$ZodType = z.core.$ZodType<undefined>,
>(spec: RouteSpec<Path, Who, Query, Body>): Route {
  // The pipeline hands over the output of this spec's own schemas, which the erased type cannot express.
  return spec as unknown as Route;
}

/** Names of the segments that vary, in order. */
export function paramNames(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}

/** The whole path under `basePath`, with `{name}` segments. */
export function fullPath({ at = "api", path }: Pick<Route, "at" | "path">, basePath: string): string {
  return at === "root" ? path : `${basePath}${path}`;
}

import {
  ChatError,
  conversWithSchema,
  groupIdSchema,
  idSchema,
  isConversWith,
  isGroupId,
  isId,
  isUserId,
  outsideUserIdSchema,
  readConversWith,
  readUserId,
  toWireConversWith,
  toWireId,
  userIdSchema,
} from "@chat21/protocol";
import * as z from "zod";
import type { ApiKind } from "./refusal.ts";

/** Printable ASCII, as the registration tokens of push services are. */
const opaquePattern = /^[!-~]{1,1024}$/;

/** How the segment of a path must look. */
interface ParamForm {
  readonly description: string;
  /** Checks the segment as {@link readParams} leaves it. */
  readonly matches: (value: string) => boolean;
  /** The form that a caller may write, for the documentation. */
  readonly schema: z.core.$ZodType;
  /** The same for `v1`, where it differs. */
  readonly v1Schema?: z.core.$ZodType;
}

const id = { matches: isId, schema: idSchema };
const userId = { matches: isUserId, schema: userIdSchema, v1Schema: outsideUserIdSchema };
const conversWith = {
  matches: isConversWith,
  schema: conversWithSchema,
  v1Schema: z.union([outsideUserIdSchema, groupIdSchema]),
};
const groupId = { matches: isGroupId, schema: groupIdSchema };
const opaque = {
  matches: (value: string) => opaquePattern.test(value),
  schema: z.string().regex(opaquePattern),
};

/** The form of each segment, by its name. */
export const paramForms: Readonly<Record<string, ParamForm>> = {
  app: { ...id, description: "The app." },
  user: { ...userId, description: "A user." },
  member: { ...userId, description: "A user." },
  group: { ...groupId, description: "A group." },
  conversWith: { ...conversWith, description: "The other user of a direct conversation, or a group." },
  instance: { ...opaque, description: "The device's registration with its push service." },
  endpoint: { ...opaque, description: "The address's secret part." },
};

/**
 * The segments of a path with users' ids as they are on the wire. `v1` takes ids outside only: a caller may pass on a
 * name that somebody chose. The existing API takes both forms, because its clients read ids from messages. What is
 * neither stays, and {@link checkParams} refuses it.
 */
export function readParams(
  params: Readonly<Record<string, string>>,
  api: ApiKind,
): Readonly<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) read[name] = readers[api][name]?.(value) ?? value;
  return read;
}

type Reader = (value: string) => string | null;

/** Readers by the name of the segment. An escaped id reads as nothing that {@link checkParams} lets pass. */
const outside: Reader = (value) => toWireId(value) ?? "";
const outsideOrGroup: Reader = (value) => toWireConversWith(value) ?? "";
const readers: Readonly<Record<ApiKind, Readonly<Record<string, Reader>>>> = {
  operations: {},
  v1: { user: outside, member: outside, conversWith: outsideOrGroup },
  v0: { user: readUserId, member: readUserId, conversWith: readConversWith },
};

/** Throws `invalid_id` for a segment whose form is not allowed. */
export function checkParams(params: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(params)) {
    if (paramForms[name]?.matches(value) !== true) {
      throw new ChatError("invalid_id", `${name} has a form that is not allowed`);
    }
  }
}

/** Parses `input` with a schema and answers its output. Throws `bad_request` with the first issue's message. */
export function check<Schema extends z.core.$ZodType>(
  schema: Schema,
  input: unknown,
  describe: (issue: z.core.$ZodIssue) => string,
): z.output<Schema> {
  const result = z.core.safeParse(schema, input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ChatError("bad_request", issue === undefined ? undefined : describe(issue));
}

/** The existing API's sentence: the schema's own sentence, else the name of the field. */
export function oldSentence(issue: z.core.$ZodIssue): string {
  const isOwn = /(mandatory|not present)!?$/.test(issue.message);
  return isOwn ? issue.message : `${issue.path.join(".") || "the body"} is not valid!`;
}

/** A sentence that says what is wrong and where. */
export function sentence(issue: z.core.$ZodIssue): string {
  const where = issue.path.join(".");
  return where === "" ? issue.message : `${where}: ${issue.message}`;
}

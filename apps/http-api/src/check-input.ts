import { ChatError, isGroupId, isId } from "@chat21/protocol";
import * as z from "zod";

/** Printable ASCII, as the registration tokens of push services are. */
const isOpaque = (value: string) => /^[\x21-\x7e]{1,1024}$/.test(value);

/** How the segment of a path must look. */
interface ParamForm {
  readonly description: string;
  readonly matches: (value: string) => boolean;
  /** The same as JSON Schema, for the documentation. */
  readonly schema: object;
}

const id = { matches: isId, schema: { $ref: "#/components/schemas/Id" } };
const groupId = { matches: isGroupId, schema: { $ref: "#/components/schemas/GroupId" } };
const opaque = { matches: isOpaque, schema: { type: "string", pattern: "^[!-~]{1,1024}$" } };

/** The form of each segment, by its name. */
export const paramForms: Readonly<Record<string, ParamForm>> = {
  app: { ...id, description: "The app." },
  user: { ...id, description: "A user." },
  member: { ...id, description: "A user." },
  group: { ...groupId, description: "A group." },
  conversWith: { ...groupId, description: "The other user of a direct conversation, or a group." },
  instance: { ...opaque, description: "The device's registration with its push service." },
  endpoint: { ...opaque, description: "The address's secret part." },
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

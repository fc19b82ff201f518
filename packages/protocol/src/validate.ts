import * as z from "zod/mini";
import { ChatError } from "./error-codes.ts";

/** The value in the schema's type. Throws `bad_request` that names the first offending path, never the value. */
export function validate<Schema extends z.core.$ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ChatError(
    "bad_request",
    `${issue?.path.join(".") || "payload"}: ${issue?.message ?? "is not valid"}`,
  );
}

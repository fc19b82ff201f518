import type * as z from "zod/mini";
import { $ZodObjectJIT } from "zod/v4/core";

/**
 * The same schema, which checks in half of the time: it compiles itself when it is first used. For servers only: a
 * browser's content policy may forbid that, and the code is large.
 */
export function compileSchema<Shape extends z.core.$ZodShape, Config extends z.core.$ZodObjectConfig>(
  schema: z.ZodMiniObject<Shape, Config>,
): z.core.$ZodObject<Shape, Config> {
  return new $ZodObjectJIT(schema._zod.def) as z.core.$ZodObject<Shape, Config>;
}

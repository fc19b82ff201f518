import { limits } from "@chat21/protocol";
import * as z from "zod";

// Query values are texts; a number is digits and nothing else (not "1e3", not "0x10", not "").
const count = z
  .string()
  .regex(/^\d{1,15}$/, "expected a whole number")
  .transform(Number);

/** `limit`, `before` and `after` of a list. */
export const pageQuery = z.object({
  limit: z
    .optional(count.pipe(z.int().min(1).max(limits.listMax)))
    .meta({ description: `Items at most. Default ${limits.listDefault}.` }),
  before: z.optional(count.pipe(z.int())).meta({ description: "Only items before this cursor, exclusive." }),
  after: z.optional(count.pipe(z.int())).meta({ description: "Only items beyond this cursor, exclusive." }),
});

/** As {@link pageQuery}, or with the `cursor` of the page before. */
export const cursorQuery = pageQuery.extend({
  cursor: z
    .optional(z.string().min(1).max(limits.cursorCharacters))
    .meta({ description: "`cursor` of the page before: goes on behind it. Not beside `before` or `after`." }),
});

/** Whether a query names its page in one way only. */
export function isOneWay({ before, after, cursor }: Omit<PageQuery, "limit">): boolean {
  return cursor === undefined || (before === undefined && after === undefined);
}

type PageQuery = z.output<typeof pageQuery> & Partial<z.output<typeof cursorQuery>>;

/** The page that a query asks for, without absent fields. */
export function pageOf({ limit, before, after, cursor }: PageQuery) {
  return {
    ...(cursor === undefined ? {} : { cursor }),
    ...(limit === undefined ? {} : { limit }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

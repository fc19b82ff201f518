import { limits, outsideUserIdSchema } from "@chat21/protocol";
import * as z from "zod";

// Query values are texts; a number is digits and nothing else (not "1e3", not "0x10", not "").
const digits = z
  .string()
  .regex(/^\d{1,16}$/, "expected a whole number")
  .transform(Number);

/** `limit` of a list. */
export const limitParameter = z
  .optional(digits.pipe(z.int().min(1).max(limits.listMax)))
  .meta({ description: `Items at most. Default ${limits.listDefault}.` });

const place = digits.pipe(z.int().min(0));

/** `limit`, `before` and `after` of a list; what else there is, the existing API ignores. */
export const pageQuery = z.object({
  limit: limitParameter,
  before: z.optional(place).meta({ description: "Only items before this cursor, exclusive." }),
  after: z.optional(place).meta({ description: "Only items beyond this cursor, exclusive." }),
});

/** For whom an admin asks. */
export const readerParameter = z
  .optional(outsideUserIdSchema)
  .meta({ description: "Admins only: the user whose view this is. Default the token's user." });

/** A page of a conversation's events. */
export const eventsQuery = z.strictObject({ ...pageQuery.shape, user: readerParameter });

/** As {@link pageQuery}, or with the `cursor` of the page before. */
export const cursorQuery = z.strictObject({
  ...pageQuery.shape,
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

import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";

/** Inclusive range of numbers. */
export type Range = [from: number, to: number];

/** A {@link Range}. Zod's tuple would be half a kilobyte more in every browser. */
export const rangeSchema = defineSchema(
  () =>
    z
      .array(z.number())
      .check(
        z.refine((numbers) => numbers.length === 2, { error: "expected two numbers" }),
      ) as unknown as z.ZodMiniType<Range>,
);

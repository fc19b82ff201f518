import * as z from "zod/mini";
import { defineSchema } from "./define-schema.ts";

/** Inclusive range of numbers. */
export const rangeSchema = defineSchema(() => z.tuple([z.number(), z.number()]));
export type Range = z.infer<typeof rangeSchema>;

import type { EventCodes } from "@chat21/protocol";
import { StoreFailure } from "./failure.ts";

/** The number of the kind "message". Permanent, like all these numbers: they stand in databases. */
export const messageCode = 0;

/** Kinds of events between their names and their stored numbers. */
export interface EventNames {
  /** Throws `internal` for a kind that the store was not opened with. */
  codeOf(type: string): number;
  /** The name of a kind; `#` and the number for a kind that a newer process has written meanwhile. */
  nameOf(code: number): string;
  /** The codes of the given kinds, without those that the store was not opened with. */
  knownCodesOf(types: readonly string[]): number[];
  /** A bit for each of the kinds, for `mask & (1 << type)` in SQL. @default all bits */
  maskOf(types: readonly string[] | undefined): bigint;
}

/** The names of the kinds that the store was opened with. */
export function createEventNames(kinds: EventCodes): EventNames {
  const codes = new Map(Object.entries(kinds));
  const names = new Map(Object.entries(kinds).map(([type, code]) => [code, type]));
  const knownCodesOf = (types: readonly string[]) =>
    types.map((type) => codes.get(type)).filter((code) => code !== undefined);
  return {
    codeOf(type) {
      const code = codes.get(type);
      if (code === undefined)
        throw new StoreFailure("internal", `the store knows no events of the kind ${type}`);
      return code;
    },
    nameOf: (code) => names.get(code) ?? `#${code}`,
    knownCodesOf,
    maskOf: (types) =>
      types === undefined ? -1n : knownCodesOf(types).reduce((mask, code) => mask | (1n << BigInt(code)), 0n),
  };
}

import { isGroupId, isId, looksLikeGroupId } from "@chat21/protocol";
import * as z from "zod";
import { logLevels } from "./log.ts";

/** One setting: set by the environment and, where it has a `flag`, on the command line. */
export interface Setting<Value> {
  /** Names in the environment; the first that is set wins, an empty value counts as not set. */
  readonly names: readonly [string, ...string[]];
  /** Long option on the command line, without dashes. */
  readonly flag?: string;
  /** From text to value; its messages complete "expected …". */
  readonly schema: z.ZodType<Value, string>;
  /** The value that applies when nothing is set, in the words of the docs. */
  readonly defaultText: string;
  /** One line for help and docs. */
  readonly meaning: string;
  /** Never shown in messages or logs. */
  readonly isSecret?: boolean;
}

const expected = (what: string) => ({ error: `expected ${what}` });

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

/** TCP port; 0 lets the system choose. */
export const portSchema = z.string().refine(isPort, expected("a port number, 0 to 65535")).transform(Number);

/** TCP port, or `off` for no listener. */
export const optionalPortSchema = z
  .string()
  .refine((text) => text === "off" || isPort(text), expected("a port number, 0 to 65535, or off"))
  .transform((text) => (text === "off" ? null : Number(text)));

const switchWords = new Map([
  ["1", true],
  ["true", true],
  ["on", true],
  ["yes", true],
  ["0", false],
  ["false", false],
  ["off", false],
  ["no", false],
]);

/** Yes or no, in the spellings people use. */
export const switchSchema = z.string().transform((text, context) => {
  const value = switchWords.get(text.toLowerCase());
  if (value !== undefined) return value;
  context.addIssue("expected 1, 0, true, false, on, off, yes or no");
  return z.NEVER;
});

/** Entries between commas; spaces around them and empty entries do not count. */
export const listSchema = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

/** Whole number within bounds, both inclusive. */
export function wholeNumberSchema(minimum: number, maximum: number): z.ZodType<number, string> {
  const message = expected(`a whole number, ${minimum} to ${maximum}`);
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, message);
}

/** `http://` or `https://` address. */
export const httpUrlSchema = z.string().refine((text) => {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:");
}, expected("an address that begins with http:// or https://"));

/** One app id. */
export const appSchema = z.string().refine(isId, expected("an app id"));

/** App ids between commas; at least one. */
export const appsSchema = listSchema.refine((apps) => apps.length > 0 && apps.every(isId), {
  error: "expected app ids between commas, each 1-64 characters of A-Z a-z 0-9 _ - @ : = ~ ! , ; ( ) $ & '",
});

/** Beginnings of ids of groups between commas, or `off` for none. */
export const groupBeginningsSchema = z
  .string()
  .transform((text) => (text.trim() === "off" ? "" : text))
  .pipe(listSchema)
  .refine((beginnings) => beginnings.every((text) => isGroupId(text) && looksLikeGroupId(text)), {
    error: "expected beginnings of ids between commas, each with group- in it, or off",
  });

/** One of the levels of logs, in any case. */
export const logLevelSchema = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(logLevels, { error: `expected ${logLevels.join(", ")}` }));

/** Address of this machine to listen on. */
export const hostSchema = z.string().regex(/^[A-Za-z0-9._:%[\]-]+$/, {
  error: "expected an address of this machine, such as 127.0.0.1 or 0.0.0.0",
});

/** Reverse proxies that are believed, as express' `trust proxy` has them. */
export const trustProxySchema = z
  .string()
  .regex(/^(\d{1,2}|[A-Za-z0-9.:/, ]+)$/, {
    error: "expected a number of proxies, or addresses between commas",
  })
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : text));

/** Path under which something is mounted, without a slash at the end. */
export const basePathSchema = z
  .string()
  .regex(/^(\/[A-Za-z0-9._~-]+)+\/?$/, { error: "expected a path such as /api" })
  .transform((path) => path.replace(/\/$/, ""));

/** Names a setting's type in a table. */
export const defineSetting = <Value>(setting: Setting<Value>): Setting<Value> => setting;

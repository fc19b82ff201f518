import { closeSync, openSync, writeSync } from "node:fs";
import { codeOf, OperatorError } from "@chat21/runtime";
import { extendedJson } from "./original-database.ts";

/** A file of refused items, one JSON object a line. */
export interface RejectsFile {
  add(item: object): void;
  close(): void;
}

/** Lines are gathered up to this number of characters before they are written. */
const bufferLength = 256 * 1_024;

/** Opens the file when a path is given. Its present content stays, so that a second import adds to it. */
export function openRejectsFile(path: string | undefined): RejectsFile {
  if (path === undefined) return { add: () => {}, close: () => {} };
  const file = open(path);
  let buffer = "";
  const flush = () => {
    writeSync(file, buffer);
    buffer = "";
  };
  return {
    add(item) {
      buffer += `${extendedJson(item)}\n`;
      if (buffer.length >= bufferLength) flush();
    },
    close() {
      flush();
      closeSync(file);
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, "a", 0o600);
  } catch (cause) {
    throw new OperatorError(`${path}: cannot be written (${codeOf(cause)}); choose another file`, { cause });
  }
}

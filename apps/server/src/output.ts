import picocolors from "picocolors";

/** Writes a line for a person or a script to standard output. */
export function printLine(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** Writes one value as one line of JSON. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** Writes a line that is not part of the result: to standard error, so that it never gets into a pipe. */
export function printAside(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
}

/** Writes rows in aligned columns, with a header on a terminal. Values keep to one line. */
export function printTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((row) => (row[index] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  if (process.stdout.isTTY) printLine(picocolors.dim(line(columns.map((column) => column.title))));
  for (const row of cells) printLine(line(row));
}

/** Text that is safe in one line of a terminal: control characters, which could move the cursor, are made visible. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    if (character === "\n") return "⏎";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** A moment in a form for people. */
export function localTime(atMs: number): string {
  return new Date(atMs).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
}

import { OperatorError } from "@chat21/runtime";

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `90`, `90s`, `15m`, `12h` or `30d`; a bare number counts seconds. Throws `OperatorError`. */
export function parseDuration(option: string, text: string): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text);
  const amount = Number(match?.[1]);
  if (match === null || amount === 0) {
    throw new OperatorError(
      `${option}: expected a time such as 90s, 15m, 12h or 30d, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return amount * unitsMs[(match[2] || "s") as keyof typeof unitsMs];
}

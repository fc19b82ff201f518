import { LineBudget } from "@chat21/auth";
import type { Clock, Log } from "@chat21/engine";
import { type ErrorCode, errorCodes } from "@chat21/protocol";

/** Notes a refusal of a route. `reason` never repeats what the request says. */
export type NoteRefusal = (route: string, code: ErrorCode, reason: string) => void;

/**
 * Tells the operator which requests are refused: a line each, as many as `LineBudget` allows for each route and code.
 * Tokens have lines of their own, and failures of the server as well.
 */
export function refusalLines(log: Log, clock: Pick<Clock, "elapsed">): NoteRefusal {
  const budgets = new Map<string, LineBudget>();
  return (route, code, reason) => {
    const { status } = errorCodes[code];
    if (status === 401 || status >= 500) return;
    const key = `${route} ${code}`;
    const budget = budgets.get(key) ?? new LineBudget(clock);
    budgets.set(key, budget);
    const line = budget.take();
    if (line === null) return;
    const more = line.unsaid === 0 ? {} : { refusedWithoutLine: line.unsaid };
    log.info({ route, code, status, reason, ...more }, "a request was refused");
  };
}

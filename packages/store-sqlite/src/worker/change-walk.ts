import { StoreFailure } from "./failure.ts";

/**
 * A walk through the changes behind `since`, from the newest one downwards, in pages. A conversation that changes while
 * the walk goes on leaves its place before the walk reaches it. Therefore a walk of several pages is followed by another
 * one behind `upTo`, which gives events back to `base`, until a walk fits into one page.
 */
export interface ChangeWalk {
  readonly since: number;
  /** Events after this one are given; it is at or below `since`. */
  readonly base: number;
  /** The newest change when the walk began. */
  readonly upTo: number;
  /** Only changes below this one are left. */
  readonly below: number;
}

/** `since`; with `base`, where another walk begins; with `upTo` and `below`, inside a walk. */
const cursorForm = /^(\d{1,15})(?:\.(\d{1,15})(?:\.(\d{1,15})\.(\d{1,15}))?)?$/;

/** The walk that a cursor stands for, in a store whose newest change is `last`. Throws `invalid_cursor`. */
export function parseChangeCursor(cursor: string | undefined, last: number): ChangeWalk {
  const found = cursorForm.exec(cursor ?? "0");
  const [since = Number.NaN, base = since, upTo = last, below = last + 1] = (found?.slice(1) ?? []).map(
    (text) => (text === undefined ? undefined : Number(text)),
  );
  if (base <= since && since <= upTo && upTo <= last && below <= last + 1)
    return { since, base, upTo, below };
  throw new StoreFailure("invalid_cursor", "the cursor is not one of this store");
}

/** The cursor that goes on below the change that a page has reached. */
export function cursorBelow({ since, base, upTo }: ChangeWalk, reached: number): string {
  return `${since}.${base}.${upTo}.${reached}`;
}

/** The cursor of the walk that follows this one. */
export function cursorOfNextWalk({ base, upTo }: ChangeWalk): string {
  return `${upTo}.${base}`;
}

/** Whether an earlier page has begun this walk. */
export function isContinued({ below }: ChangeWalk, last: number): boolean {
  return below <= last;
}

import type { Interval } from "@chat21/engine";

interface Run {
  readonly closed: Interval[];
  from: number;
  to: number;
  /** The run goes on up to here if a copy follows: the events in between are hidden from its owner anyway. */
  bridgedTo: number;
}

/** The numbers of a conversation that each owner may see: those with a copy. Numbers come ascending. */
export class VisibleIntervals {
  readonly #runs = new Map<string, Run>();

  /** Owners of copies, in the order of their first copies. */
  get owners(): readonly string[] {
    return [...this.#runs.keys()];
  }

  /** Notes a message's copies. `hiddenFor`: a user without a copy, from whom the event is hidden. */
  add(seq: number, owners: Iterable<string>, hiddenFor: string | null): void {
    for (const owner of owners) {
      const run = this.#runs.get(owner);
      if (run === undefined) this.#runs.set(owner, { closed: [], from: seq, to: seq, bridgedTo: seq });
      else {
        if (run.bridgedTo < seq - 1) {
          run.closed.push([run.from, run.to]);
          run.from = seq;
        }
        run.to = seq;
        run.bridgedTo = seq;
      }
    }
    const hidden = hiddenFor === null ? undefined : this.#runs.get(hiddenFor);
    if (hidden?.bridgedTo === seq - 1) hidden.bridgedTo = seq;
  }

  /** The owner's intervals, all closed. */
  closed(owner: string): Interval[] {
    const run = this.#runs.get(owner);
    return run === undefined ? [] : [...run.closed, [run.from, run.to]];
  }

  /** The intervals of a present member, who also sees the numbers after `head`. */
  open(owner: string, head: number): Interval[] {
    const run = this.#runs.get(owner);
    if (run === undefined) return [[head + 1, null]];
    return run.bridgedTo === head
      ? [...run.closed, [run.from, null]]
      : [...run.closed, [run.from, run.to], [head + 1, null]];
  }
}

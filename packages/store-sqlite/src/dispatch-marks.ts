import type { EventRef } from "@chat21/engine";
import type { EncodedMarks } from "./worker/dispatch-rows.ts";

/**
 * Marks that may not be on the disk yet. Neighbours are joined: app, conversation, first and last number, and again.
 */
export class DispatchMarks {
  #marks: (string | number)[] = [];

  add(refs: readonly EventRef[]): void {
    for (const { app, conversation, seq } of refs) {
      const marks = this.#marks;
      const last = marks.length - 1;
      if (marks[last] === seq - 1 && marks[last - 2] === conversation && marks[last - 3] === app)
        marks[last] = seq;
      else marks.push(app, conversation, seq, seq);
    }
  }

  get isEmpty(): boolean {
    return this.#marks.length === 0;
  }

  /** Puts back marks that were taken and may not have reached the disk. */
  restore(taken: EncodedMarks): void {
    this.#marks = [...taken, ...this.#marks];
  }

  take(): EncodedMarks {
    const taken = this.#marks;
    this.#marks = [];
    return taken;
  }
}

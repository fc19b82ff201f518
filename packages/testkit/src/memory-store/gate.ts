/**
 * Awaited at every point for a crash, a delay or a failure: `<method>:before` and `<method>:after` around every durable
 * effect (for `events.commit` around every run), `<method>:read` before every read. A gate that never resolves kills
 * the process there; a gate that throws fails the call there.
 */
export type Gate = (point: string) => Promise<void>;

/** Reads and writes of a memory store's parts, with a gate around them. */
export interface Gated {
  /** Runs `effect` in one piece between the two points. */
  write<T>(method: string, effect: () => T): Promise<T>;
  /** Runs `query` in one piece after the point. */
  read<T>(method: string, query: () => T): Promise<T>;
}

/** Puts a gate around effects; without a gate they run at once. */
export function gated(gate: Gate | undefined): Gated {
  return {
    write: async (method, effect) => {
      await gate?.(`${method}:before`);
      const result = effect();
      await gate?.(`${method}:after`);
      return result;
    },
    read: async (method, query) => {
      await gate?.(`${method}:read`);
      return query();
    },
  };
}

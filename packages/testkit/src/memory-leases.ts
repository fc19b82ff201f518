import type { LeaseStore } from "@chat21/engine";

/** Leases in one list, at most. */
const maxListed = 1_000;

interface Row {
  readonly holder: string;
  readonly expiresAt: number;
}

/**
 * The reference implementation of `LeaseStore`, for processes of a test that share this object. Leases run out by
 * `clock` alone.
 */
export function createMemoryLeases(clock: { now(): number }): LeaseStore {
  const rows = new Map<string, Row>();
  const rowOf = (name: string) => {
    const row = rows.get(name);
    return row === undefined || row.expiresAt <= clock.now() ? undefined : row;
  };

  return {
    async acquire(holder, names, ttlMs) {
      return names.map((name) => {
        const row = rowOf(name);
        if (row !== undefined && row.holder !== holder) return false;
        rows.set(name, { holder, expiresAt: Math.max(row?.expiresAt ?? 0, clock.now() + ttlMs) });
        return true;
      });
    },
    async release(holder, names) {
      for (const name of names) if (rowOf(name)?.holder === holder) rows.delete(name);
    },
    async list(prefix) {
      const names = [...rows.keys()].filter((name) => name.startsWith(prefix)).toSorted();
      return names
        .flatMap((name) => {
          const row = rowOf(name);
          if (row === undefined) return [];
          return [{ name, holder: row.holder, remainingMs: row.expiresAt - clock.now() }];
        })
        .slice(0, maxListed);
    },
  };
}

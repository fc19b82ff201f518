/**
 * A storage area of the browser that never fails. What the browser does not take (storage that is full, switched off, or
 * `null` as in some web views) is kept in memory, until the page is left.
 */
export function sturdyArea(open: () => Storage | null): Storage {
  const memory = new Map<string, string>();

  function attempt<Value>(work: (area: Storage) => Value, otherwise: Value): Value {
    try {
      const area = open();
      return area === null ? otherwise : work(area);
    } catch {
      return otherwise;
    }
  }

  const names = () => [...new Set([...attempt(namesIn, []), ...memory.keys()])];
  const removeItem = (name: string) => {
    memory.delete(name);
    attempt((area) => area.removeItem(name), undefined);
  };
  return {
    get length() {
      return names().length;
    },
    key: (index) => names()[index] ?? null,
    getItem: (name) => memory.get(name) ?? attempt((area) => area.getItem(name), null),
    setItem(name, value) {
      const isTaken = attempt((area) => {
        area.setItem(name, value);
        return true;
      }, false);
      if (isTaken) memory.delete(name);
      else memory.set(name, value);
    },
    removeItem,
    clear: () => names().forEach(removeItem),
  };
}

/** The names of all records in an area. */
export function namesIn(area: Storage): string[] {
  return Array.from({ length: area.length }, (_, index) => area.key(index) ?? "");
}

/** What this window keeps over a reload. It ends with the window. */
export const windowArea: Storage = sturdyArea(() => sessionStorage);

/** What this browser keeps after the window is closed. All windows share it. */
export const browserArea: Storage = sturdyArea(() => localStorage);

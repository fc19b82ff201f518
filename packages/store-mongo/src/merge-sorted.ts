interface Walk<T> {
  readonly items: AsyncIterator<T> | Iterator<T>;
  head: T;
}

/** Merges sorted sources into one order. One item of each is read ahead; all end when the reader ends. */
export async function* mergeSorted<T>(
  sources: readonly (AsyncIterable<T> | Iterable<T>)[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<T> {
  const walks: Walk<T>[] = [];
  try {
    for (const source of sources) {
      const items =
        Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
      const first = await items.next();
      if (first.done !== true) walks.push({ items, head: first.value });
    }
    while (walks.length > 0) {
      const least = walks.reduce((best, walk) => (compare(walk.head, best.head) < 0 ? walk : best));
      yield least.head;
      const next = await least.items.next();
      if (next.done === true) walks.splice(walks.indexOf(least), 1);
      else least.head = next.value;
    }
  } finally {
    for (const { items } of walks) await items.return?.();
  }
}

/** Queries under way at once for one call of the port. */
const width = 8;

/** Maps with at most eight queries under way; the answers are in order. */
export async function inParallel<T, U>(items: readonly T[], run: (item: T) => Promise<U>): Promise<U[]> {
  const results = new Array<U>(items.length);
  const entries = items.entries();
  async function work(): Promise<void> {
    for (const [index, item] of entries) results[index] = await run(item);
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work));
  return results;
}

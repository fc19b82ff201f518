/** A row and its distance from the top of its container, in pixels. */
export interface Anchor {
  readonly key: string;
  readonly topPx: number;
}

/** Finds the first row in view. Rows carry `data-key`. */
export function findAnchor(container: HTMLElement): Anchor | null {
  const rows = container.querySelectorAll<HTMLElement>("[data-key]");
  const edge = container.getBoundingClientRect().top;
  // Rows are in order, so a binary search finds the first one whose lower end is below the edge.
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
    else low = middle + 1;
  }
  const row = rows[low];
  const key = row?.dataset["key"];
  return row === undefined || key === undefined
    ? null
    : { key, topPx: row.getBoundingClientRect().top - edge };
}

/** Scrolls so that the row is at the same place again. No effect when the row is gone. */
export function restoreAnchor(container: HTMLElement, anchor: Anchor | null): void {
  if (anchor === null) return;
  const row = container.querySelector<HTMLElement>(`[data-key="${CSS.escape(anchor.key)}"]`);
  if (row === null) return;
  const topPx = row.getBoundingClientRect().top - container.getBoundingClientRect().top;
  container.scrollTop += topPx - anchor.topPx;
}

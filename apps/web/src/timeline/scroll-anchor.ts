/** A row, its distance from the top of its container, and how far the container was scrolled then, in pixels. */
export interface Anchor {
  readonly key: string;
  readonly topPx: number;
  readonly scrollTop: number;
}

/** Finds the first row in view. Rows carry `data-key` and stand in blocks with `data-block`. */
export function findAnchor(container: HTMLElement): Anchor | null {
  const edge = container.getBoundingClientRect().top;
  // Block by block first: the browser would have to lay out every block in which a row is asked for its place.
  const block = firstBelow(container.querySelectorAll<HTMLElement>("[data-block]"), edge);
  if (block === undefined) return null;
  const row = firstBelow(block.querySelectorAll<HTMLElement>("[data-key]"), edge);
  const key = row?.dataset["key"];
  return row === undefined || key === undefined
    ? null
    : { key, topPx: row.getBoundingClientRect().top - edge, scrollTop: container.scrollTop };
}

/** Finds the first element whose lower end is below the edge. They are in order, so a binary search finds it. */
function firstBelow(elements: NodeListOf<HTMLElement>, edge: number): HTMLElement | undefined {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((elements[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
    else low = middle + 1;
  }
  return elements[low];
}

/**
 * Scrolls so that the row is at the same place again. What the reader has scrolled since is kept: the browser tells of it
 * in its next frame only. No effect when the row is gone.
 */
export function restoreAnchor(container: HTMLElement, anchor: Anchor | null): void {
  if (anchor === null) return;
  const row = container.querySelector<HTMLElement>(`[data-key="${CSS.escape(anchor.key)}"]`);
  if (row === null) return;
  const topPx = row.getBoundingClientRect().top - container.getBoundingClientRect().top;
  container.scrollTop += topPx - anchor.topPx + scrolledSince(container, anchor);
}

/** How far the reader has scrolled since, in pixels. A container that became shorter was scrolled up by the browser. */
function scrolledSince(container: HTMLElement, { scrollTop }: Anchor): number {
  const scrolled = container.scrollTop - scrollTop;
  const isAtFoot = container.scrollHeight - container.scrollTop - container.clientHeight < 1;
  return isAtFoot && scrolled < 0 ? 0 : scrolled;
}

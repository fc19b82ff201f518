import type { ChatMessage } from "@chat21/client-sdk";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "preact/compat";
import { type Anchor, findAnchor, restoreAnchor } from "./scroll-anchor.ts";

/**
 * Controls the scroll position. A timeline opens, as soon as it is `ready`, at the unread divider or at the foot. A
 * reader at the foot stays there: the heights of rows that come into view were guessed, and change. For others the rows
 * in view keep their place when messages are added above or below, or change their height. One who unfolds a text reads
 * on where it begins, at the foot, too. `onNearTop` is called when the reader comes near the top.
 */
export function useTimelineScroll(options: TimelineScrollOptions): TimelineScroll {
  const { messages, typing, ready, onNearTop, onAtNewest } = options;
  const container = useRef<HTMLElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor | null>(null);
  const placed = useRef(false);
  const atFoot = useRef(true);
  const lastKey = useRef<string | undefined>(undefined);

  const handleScroll = useCallback(() => {
    const element = container.current;
    if (element === null || !placed.current) return;
    atFoot.current = element.scrollHeight - element.scrollTop - element.clientHeight < footPx;
    onAtNewest(atFoot.current);
    anchor.current = findAnchor(element);
    if (element.scrollTop < headPx) onNearTop();
  }, [onNearTop, onAtNewest]);

  useLayoutEffect(() => {
    const element = container.current;
    const last = messages.at(-1);
    if (element === null) return;
    if (last !== undefined && !placed.current) {
      if (!ready) {
        element.scrollTop = element.scrollHeight;
        return;
      }
      placed.current = true;
      placeAtStart(element);
    } else if (atFoot.current || (last?.own === true && last.key !== lastKey.current)) {
      element.scrollTop = element.scrollHeight;
    } else restoreAnchor(element, anchor.current);
    lastKey.current = last?.key;
    handleScroll();
  }, [messages, typing, ready, handleScroll]);

  useEffect(() => {
    const element = container.current;
    if (element === null || rows.current === null) return;
    const observer = new ResizeObserver(() => {
      if (!placed.current) return;
      // A block comes near whose height was guessed, a keyboard opens, the composer grows, or a text was unfolded.
      if (atFoot.current) element.scrollTop = element.scrollHeight;
      else restoreAnchor(element, anchor.current);
      handleScroll();
    });
    const onClick = ({ target }: MouseEvent) => {
      if (target instanceof Element && target.closest("[data-unfolds]") !== null) atFoot.current = false;
    };
    observer.observe(element);
    observer.observe(rows.current);
    element.addEventListener("click", onClick);
    return () => {
      observer.disconnect();
      element.removeEventListener("click", onClick);
    };
  }, [handleScroll]);

  const jumpToNewest = useCallback(() => {
    const element = container.current;
    if (element === null) return;
    element.scrollTop = element.scrollHeight;
    handleScroll();
  }, [handleScroll]);

  return { container, rows, handleScroll, jumpToNewest };
}

/** What a timeline shows, and whom it tells where the reader is. */
interface TimelineScrollOptions {
  readonly messages: readonly ChatMessage[];
  readonly typing: readonly string[];
  /** The messages at which the timeline opens are there. */
  readonly ready: boolean;
  /** The reader comes near the top. */
  readonly onNearTop: () => void;
  /** Whether the newest message is in view. */
  readonly onAtNewest: (atNewest: boolean) => void;
}

/** The scrolling of a timeline. */
export interface TimelineScroll {
  readonly container: RefObject<HTMLElement | null>;
  /** What is scrolled. */
  readonly rows: RefObject<HTMLDivElement | null>;
  handleScroll(): void;
  jumpToNewest(): void;
}

const footPx = 56;
const headPx = 500;
const dividerPx = 72;

function placeAtStart(element: HTMLElement): void {
  const divider = element.querySelector<HTMLElement>("[data-divider]");
  element.scrollTop = element.scrollHeight;
  if (divider === null) return;
  const above = divider.getBoundingClientRect().top - element.getBoundingClientRect().top - dividerPx;
  if (above < 0) element.scrollTop += above;
}

import type { ChatMessage } from "@chat21/client-sdk";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "preact/compat";
import { type Anchor, findAnchor, restoreAnchor } from "./scroll-anchor.ts";

/**
 * Controls the scroll position. A timeline opens, as soon as it is `ready`, at the unread divider or at the foot. A
 * reader at the foot stays there; for others the rows in view keep their place when messages are added above or below,
 * or change their height. `onNearTop` is called when the reader comes near the top.
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
    const observer = new ResizeObserver((entries) => {
      if (!placed.current) return;
      // When a keyboard opens or the composer grows, a reader at the foot stays there.
      const isWindow = entries.some(({ target }) => target === element);
      if (isWindow && atFoot.current) element.scrollTop = element.scrollHeight;
      // A block comes near whose height was guessed, or a long text was unfolded.
      else restoreAnchor(element, anchor.current);
      handleScroll();
    });
    observer.observe(element);
    observer.observe(rows.current);
    return () => observer.disconnect();
  }, [handleScroll]);

  const jumpToNewest = useCallback(() => {
    const element = container.current;
    if (element === null) return;
    const far = element.scrollHeight - element.scrollTop > element.clientHeight * 4;
    element.scrollTo({
      top: element.scrollHeight,
      behavior: far || prefersStillness() ? "instant" : "smooth",
    });
  }, []);

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

function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

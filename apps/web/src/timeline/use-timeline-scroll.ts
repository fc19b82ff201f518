import type { ChatMessage } from "@chat21/client-sdk";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { type Anchor, findAnchor, restoreAnchor } from "./scroll-anchor.ts";

/**
 * Controls the scroll position. A timeline opens at the unread divider or at the foot. A reader at the foot stays
 * there; for others the rows in view keep their place when messages are added above or below. `onNearTop` is called
 * when the reader comes near the top.
 */
export function useTimelineScroll(
  messages: readonly ChatMessage[],
  typing: readonly string[],
  onNearTop: () => void,
): TimelineScroll {
  const container = useRef<HTMLElement>(null);
  const anchor = useRef<Anchor | null>(null);
  const placed = useRef(false);
  const atFoot = useRef(true);
  const lastKey = useRef<string | undefined>(undefined);
  const [atNewest, setAtNewest] = useState(false);

  const handleScroll = useCallback(() => {
    const element = container.current;
    if (element === null || !placed.current) return;
    atFoot.current = element.scrollHeight - element.scrollTop - element.clientHeight < footPx;
    setAtNewest(atFoot.current);
    anchor.current = findAnchor(element);
    if (element.scrollTop < headPx) onNearTop();
  }, [onNearTop]);

  useLayoutEffect(() => {
    const element = container.current;
    const last = messages.at(-1);
    if (element === null) return;
    if (last !== undefined && !placed.current) {
      placed.current = true;
      placeAtStart(element);
    } else if (atFoot.current || (last?.own === true && last.key !== lastKey.current)) {
      element.scrollTop = element.scrollHeight;
    } else restoreAnchor(element, anchor.current);
    lastKey.current = last?.key;
    handleScroll();
  }, [messages, typing, handleScroll]);

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    // When a keyboard opens or the composer grows, a reader at the foot stays there.
    const observer = new ResizeObserver(() => {
      if (placed.current && atFoot.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const jumpToNewest = useCallback(() => {
    const element = container.current;
    if (element === null) return;
    const far = element.scrollHeight - element.scrollTop > element.clientHeight * 4;
    element.scrollTo({
      top: element.scrollHeight,
      behavior: far || prefersStillness() ? "instant" : "smooth",
    });
  }, []);

  return { container, atNewest, handleScroll, jumpToNewest };
}

/** The scrolling of a timeline. */
export interface TimelineScroll {
  readonly container: RefObject<HTMLElement | null>;
  /** The newest message is in view. */
  readonly atNewest: boolean;
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

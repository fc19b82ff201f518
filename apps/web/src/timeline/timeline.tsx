import type { ChatMessage, Conversation, ConversationSummary } from "@chat21/client-sdk";
import { useEffect, useMemo, useRef, useState } from "preact/compat";
import { useTyping } from "../chat/use-conversation.ts";
import { Icon } from "../ui/icon.tsx";
import { useLatestDay } from "../ui/use-now.ts";
import { usePageVisible } from "../ui/use-page-visible.ts";
import { arrangeMessages, type Day, isNews } from "./arrange-messages.ts";
import type { NameOf } from "./info-text.ts";
import { TimelineDay } from "./timeline-day.tsx";
import { TimelineTop } from "./timeline-top.tsx";
import { TypingBubble } from "./typing-bubble.tsx";
import { useOlderMessages } from "./use-older-messages.ts";
import { useTimelineScroll } from "./use-timeline-scroll.ts";
import { useUnreadDivider } from "./use-unread-divider.ts";

/** The messages of one conversation. It marks them as read when the newest one is in view. */
export function Timeline({ view, title, nameOf }: { view: ConversationView; title: string; nameOf: NameOf }) {
  const { conversation, summary, messages, hasOlder } = view;
  const visible = usePageVisible();
  const typing = useTyping(summary.conversWith);
  const older = useOlderMessages(conversation, hasOlder);
  const [atNewest, setAtNewest] = useState(false);
  const watching = visible && atNewest;
  const readUpTo = useUnreadDivider(summary, messages, visible, watching);
  const missing = hasOlder && readUpTo !== null ? (messages[0]?.seq ?? 1) - 1 - readUpTo : 0;
  const isMissing = missing > 0 && missing <= mostUnread && !older.failed;
  const unseen = summary.unread > 0;
  // The client has just begun to catch up: the unread messages come behind those that are here.
  const isBehind = unseen && readUpTo !== null && !messages.some((message) => isNews(message, readUpTo));
  const isComing = isMissing || isBehind;
  const scroll = useTimelineScroll({
    messages,
    typing,
    ready: !isComing,
    onNearTop: older.load,
    onAtNewest: setAtNewest,
  });
  const days = useDays(messages, missing > 0 ? null : readUpTo);
  const direct = summary.kind === "direct";

  // Of conversations far down the list only the state is known: their messages come when they are opened.
  useEffect(() => {
    if (messages.length === 0) older.load();
  }, [messages.length, older.load]);

  // The divider stands before the first unread message, so that message has to be here.
  useEffect(() => {
    if (isMissing) older.load(missing + readBefore);
  }, [isMissing, missing, older.load]);

  // Again with every message that comes: while the client catches up, what is here is not all that is unread.
  useEffect(() => {
    if (watching && (summary.unread > 0 || summary.markedUnread)) conversation.markRead();
  }, [watching, summary, messages, conversation]);

  return (
    <div className="timeline">
      <section
        className="timeline-scroll"
        ref={scroll.container}
        onScroll={scroll.handleScroll}
        aria-label="Messages"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        tabIndex={0}
      >
        <div className="timeline-rows" ref={scroll.rows}>
          <TimelineTop older={older} hasOlder={hasOlder} empty={messages.length === 0} title={title} />
          {days.map((day) => (
            <TimelineDay key={day.timestamp} day={day} direct={direct} nameOf={nameOf} />
          ))}
          {typing.length > 0 && <TypingBubble names={typing.map(nameOf)} />}
        </div>
      </section>
      {!atNewest && !isComing && messages.length > 0 && (
        <button type="button" className="jump" onClick={scroll.jumpToNewest}>
          {unseen && <span className="badge">{summary.unread > 99 ? "99+" : summary.unread}</span>}
          <span className="visually-hidden">
            {unseen ? "unread, jump to the newest" : "Jump to the newest"}
          </span>
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

/** Most unread messages that are loaded at once: one who has missed more begins at the newest. */
const mostUnread = 5_000;
/** Messages above the divider, for the context. */
const readBefore = 20;

/** Arranges the messages. What has not changed since the last time stays the same object. */
function useDays(messages: readonly ChatMessage[], readUpTo: number | null): readonly Day[] {
  const last = useRef<readonly Day[]>([]);
  const latestDay = useLatestDay();
  const days = useMemo(
    () => arrangeMessages(messages, readUpTo, last.current, latestDay),
    [messages, readUpTo, latestDay],
  );
  useEffect(() => {
    last.current = days;
  }, [days]);
  return days;
}

/** A conversation and its content. */
export interface ConversationView {
  readonly conversation: Conversation;
  readonly summary: ConversationSummary;
  readonly messages: readonly ChatMessage[];
  readonly hasOlder: boolean;
}

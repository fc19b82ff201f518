import { memo, useLayoutEffect, useRef } from "preact/compat";
import { formatDay } from "../ui/format-time.ts";
import { useNow } from "../ui/use-now.ts";
import type { Block, Day, Row } from "./arrange-messages.ts";
import { infoText, type NameOf } from "./info-text.ts";
import { MessageRun } from "./message-run.tsx";

/** One day of the timeline, with its date above it. */
export const TimelineDay = memo(function TimelineDay({ day, direct, nameOf }: DayProps) {
  const now = useNow();
  const label = formatDay(day.timestamp, now);
  return (
    <section className="timeline-day" aria-label={label}>
      <h3 className="day">{label}</h3>
      {day.blocks.map((block) => (
        <TimelineBlock key={block.key} block={block} direct={direct} nameOf={nameOf} />
      ))}
    </section>
  );
});

interface DayProps {
  day: Day;
  direct: boolean;
  nameOf: NameOf;
}

/**
 * A stretch of a day. The browser neither lays out nor draws a block that is far from view. It stays in the document,
 * where the browser's own search finds it.
 */
const TimelineBlock = memo(function TimelineBlock(props: { block: Block; direct: boolean; nameOf: NameOf }) {
  const { block, direct, nameOf } = props;
  const element = useRef<HTMLDivElement>(null);

  // Its height is measured before the browser leaves it alone: nothing moves while one scrolls. The height that the
  // browser itself remembers (`auto`) would be the one before the block has grown.
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    current.style.contentVisibility = "visible";
    current.style.containIntrinsicBlockSize = `${current.getBoundingClientRect().height}px`;
    current.style.contentVisibility = "";
  }, [block]);

  return (
    <div className="timeline-block" ref={element} data-block>
      {block.rows.map((row) => (
        <TimelineRow key={row.key} row={row} direct={direct} nameOf={nameOf} />
      ))}
    </div>
  );
});

function TimelineRow({ row, direct, nameOf }: { row: Row; direct: boolean; nameOf: NameOf }) {
  switch (row.kind) {
    case "unread":
      return (
        <p className="unread-divider" data-divider>
          New messages
        </p>
      );
    case "info":
      return (
        <p className="info" data-key={row.key}>
          {infoText(row.messages, nameOf)}
        </p>
      );
    case "deleted":
      return (
        <p className="info" data-key={row.key}>
          {row.messages.length === 1 ? "Message deleted" : `${row.messages.length} messages deleted`}
        </p>
      );
    case "run":
      return <MessageRun run={row} direct={direct} name={nameOf(row.sender)} />;
  }
}

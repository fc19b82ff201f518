import { formatDay } from "../ui/format-time.ts";
import { useNow } from "../ui/use-now.ts";
import type { Day, Row } from "./arrange-messages.ts";
import { infoText, type NameOf } from "./info-text.ts";
import { MessageRun } from "./message-run.tsx";

/** One day of the timeline, with its date above it. */
export function TimelineDay({ day, direct, nameOf }: { day: Day; direct: boolean; nameOf: NameOf }) {
  const now = useNow();
  const label = formatDay(day.timestamp, now);
  return (
    <section className="timeline-day" aria-label={label}>
      <h3 className="day">{label}</h3>
      {day.rows.map((row) => (
        <TimelineRow key={row.key} row={row} direct={direct} nameOf={nameOf} />
      ))}
    </section>
  );
}

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

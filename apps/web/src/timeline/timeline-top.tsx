import type { OlderMessages } from "./use-older-messages.ts";

/** The line above the first message: loading, a failed attempt, or the beginning of the conversation. */
export function TimelineTop(props: {
  older: OlderMessages;
  hasOlder: boolean;
  empty: boolean;
  title: string;
}) {
  const { older, hasOlder, empty, title } = props;
  if (older.failed) {
    return (
      <div className="timeline-top">
        <button type="button" className="button" data-kind="quiet" onClick={older.retry}>
          Earlier messages could not be loaded. Try again
        </button>
      </div>
    );
  }
  if (older.loading || hasOlder) {
    return <div className="timeline-top">{older.loading && <span className="spinner" />}</div>;
  }
  return (
    <div className="timeline-top">
      {empty ? `This is the beginning. Say hello to ${title}.` : "The beginning"}
    </div>
  );
}

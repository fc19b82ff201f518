import { useEffect } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import type { OlderMessages } from "./use-older-messages.ts";

/** The line above the first message: loading, a failed attempt, or the beginning of the conversation. */
export function TimelineTop(props: {
  older: OlderMessages;
  hasOlder: boolean;
  empty: boolean;
  title: string;
}) {
  const { older, hasOlder, empty, title } = props;
  const { failed, retry } = older;
  const { connection } = useChat();

  useEffect(() => {
    if (!failed) return;
    return connection.subscribe(() => {
      if (connection.get().status === "online") retry();
    });
  }, [failed, retry, connection]);

  if (failed) {
    return (
      <div className="timeline-top">
        <button type="button" className="button" data-kind="quiet" onClick={retry}>
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

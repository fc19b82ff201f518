import { useEffect, useState, useSyncExternalStore } from "preact/compat";
import { useChat } from "../chat/chat-context.ts";
import { Icon } from "../ui/icon.tsx";
import { useDelayed } from "./use-delayed.ts";
import { useSecondsUntil } from "./use-seconds-until.ts";

/** Shows that the connection is lost, when the next attempt starts, and that it is back. Otherwise it shows nothing. */
export function ConnectionBanner() {
  const { connection } = useChat();
  const { status, retryAt, wasOnline } = useSyncExternalStore(connection.subscribe, connection.get);
  const networkUp = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine);
  const away = useDelayed(status !== "online" || !networkUp, graceMs);
  const back = useBack(away, wasOnline);
  const seconds = useSecondsUntil(away ? retryAt : null);

  if (back) {
    return (
      <div className="banner" data-tone="good" role="status">
        <Icon name="check" />
        Back online
      </div>
    );
  }
  if (!away) return null;
  return (
    <div className="banner" role="status" data-state={networkUp ? "reconnecting" : "offline"}>
      {seconds === null ? <span className="spinner" aria-hidden="true" /> : <Icon name="clock" />}
      <span>
        {networkUp ? (wasOnline ? "Connection lost." : "The server does not answer.") : "You are offline."}
      </span>
      {/* Hidden from screen readers: they would read the countdown aloud every second. */}
      <span aria-hidden="true">{seconds === null ? "Reconnecting…" : `Next try in ${seconds} s`}</span>
    </div>
  );
}

const graceMs = 700;
const backMs = 2_500;

/** Returns `true` for a moment after a reported loss of the connection has ended. */
function useBack(away: boolean, wasOnline: boolean): boolean {
  const [missed, setMissed] = useState(false);
  if (away && wasOnline && !missed) setMissed(true);
  const back = missed && !away;

  useEffect(() => {
    if (!back) return;
    const timer = setTimeout(() => setMissed(false), backMs);
    return () => clearTimeout(timer);
  }, [back]);

  return back;
}

function subscribeToNetwork(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

import { useEffect } from "preact/compat";
import { followClock } from "../ui/use-now.ts";
import { useChat } from "./chat-context.ts";

/** Lets the times of the page follow the server's clock, as soon as the client knows it. */
export function useServerClock(): void {
  const { chat } = useChat();
  useEffect(() => {
    followClock(() => chat.serverNow);
    return chat.on("status", () => followClock(() => chat.serverNow));
  }, [chat]);
}

import { useEffect } from "preact/compat";
import { followClock } from "../ui/use-now.ts";
import { useChat } from "./chat-context.ts";

/** Lets the times of the page follow the server's clock, as soon as the client knows it. */
export function useServerClock(): void {
  const { chat } = useChat();
  useEffect(() => {
    let isKnown = false;
    function follow(): void {
      // Who is online has asked the server once.
      isKnown ||= chat.status === "online";
      followClock(() => chat.serverNow, isKnown);
    }
    follow();
    return chat.on("status", follow);
  }, [chat]);
}

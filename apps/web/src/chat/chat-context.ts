import { createContext, useContext } from "react";
import type { Drafts } from "../composer/drafts.ts";
import type { OpenChat } from "../session/session-store.ts";

/** What every part of the signed-in page may use. */
export interface ChatContextValue extends OpenChat {
  readonly drafts: Drafts;
  readonly signOut: () => void;
}

/** Given by the signed-in page. */
export const ChatContext = createContext<ChatContextValue | null>(null);

/** The signed-in client and its surroundings. Throws outside the signed-in page. */
export function useChat(): ChatContextValue {
  const value = useContext(ChatContext);
  if (value === null) throw new Error("useChat is for components of the signed-in page.");
  return value;
}

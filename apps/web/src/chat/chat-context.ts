import { createContext, useContext } from "preact/compat";
import type { Drafts } from "../composer/drafts.ts";
import type { OpenChat } from "../session/session-store.ts";
import type { Names } from "./names.ts";

/** The shared objects of the signed-in page. */
export interface ChatContextValue extends OpenChat {
  readonly drafts: Drafts;
  readonly names: Names;
  readonly signOut: () => void;
}

/** The context that the signed-in page provides. Use {@link useChat} to read it. */
export const ChatContext = createContext<ChatContextValue | null>(null);

/** Returns the shared objects of the signed-in page. Throws outside of it. */
export function useChat(): ChatContextValue {
  const value = useContext(ChatContext);
  if (value === null) throw new Error("useChat was called outside the signed-in page.");
  return value;
}

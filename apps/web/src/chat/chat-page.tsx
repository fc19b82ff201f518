import { useMemo, useState } from "preact/compat";
import { createDrafts } from "../composer/drafts.ts";
import type { OpenChat } from "../session/session-store.ts";
import { ChatContext } from "./chat-context.ts";
import { ChatLayout } from "./chat-layout.tsx";
import { createNames } from "./names.ts";

/** The signed-in page. */
export function ChatPage({ open, signOut }: { open: OpenChat; signOut: () => void }) {
  const [drafts] = useState(() => createDrafts(open.session));
  const [names] = useState(() => createNames(open.chat));
  const value = useMemo(() => ({ ...open, drafts, names, signOut }), [open, drafts, names, signOut]);
  return (
    <ChatContext value={value}>
      <ChatLayout />
    </ChatContext>
  );
}

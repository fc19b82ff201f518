import { useState } from "preact/compat";
import { ConnectionBanner } from "../connection/connection-banner.tsx";
import { NewConversationDialog } from "../conversations/new-conversation-dialog.tsx";
import { NewGroupDialog } from "../conversations/new-group-dialog.tsx";
import { Sidebar } from "../conversations/sidebar.tsx";
import { SignOutDialog } from "../conversations/sign-out-dialog.tsx";
import { Announcer } from "./announcer.tsx";
import { ConversationPane } from "./conversation-pane.tsx";
import type { DialogName } from "./dialog-name.ts";
import { useOpenConversation } from "./route.ts";
import { useDesktopNotifications } from "./use-desktop-notifications.ts";
import { useDocumentTitle } from "./use-document-title.ts";
import { useServerClock } from "./use-server-clock.ts";
import { useShortcuts } from "./use-shortcuts.ts";
import { Welcome } from "./welcome.tsx";

/** Shows the panes next to each other. On a phone it shows one at a time. */
export function ChatLayout() {
  const open = useOpenConversation();
  const [dialog, setDialog] = useState<DialogName | null>(null);
  useDocumentTitle(open);
  useShortcuts();
  useDesktopNotifications();
  useServerClock();
  const closeDialog = () => setDialog(null);

  return (
    <div className="app" data-view={open === null ? "list" : "chat"}>
      <ConnectionBanner />
      <Sidebar open={open} onDialog={setDialog} />
      {open === null ? <Welcome onDialog={setDialog} /> : <ConversationPane key={open} conversWith={open} />}
      <Announcer />
      {dialog === "new-conversation" && <NewConversationDialog onClose={closeDialog} />}
      {dialog === "new-group" && <NewGroupDialog onClose={closeDialog} />}
      {dialog === "sign-out" && <SignOutDialog onClose={closeDialog} />}
    </div>
  );
}

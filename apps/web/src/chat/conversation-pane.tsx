import { Composer } from "../composer/composer.tsx";
import { GroupPanel } from "../group/group-panel.tsx";
import { Timeline } from "../timeline/timeline.tsx";
import { shownName } from "../ui/foreign-text.ts";
import { ConversationHeader } from "./conversation-header.tsx";
import { closeDetails, openDetails, useDetailsOpen } from "./route.ts";
import { useConversation } from "./use-conversation.ts";
import { useGroup } from "./use-group.ts";
import { useNameOf } from "./use-name-of.ts";
import { titleOf, useNames } from "./use-names.ts";

/** The open conversation: header, messages, composer, and the panel of a group. */
export function ConversationPane({ conversWith }: { conversWith: string }) {
  const view = useConversation(conversWith);
  const isGroup = view.summary.kind !== "direct";
  const { group, outsider } = useGroup(isGroup ? conversWith : null);
  const panelOpen = useDetailsOpen();
  const nameOf = useNameOf(view.messages);
  const names = useNames();
  const title = group === undefined ? titleOf(names, view.summary) : shownName(group.name, conversWith);

  return (
    <>
      <main className="chat" aria-label={`Conversation with ${title}`}>
        <ConversationHeader
          summary={view.summary}
          title={title}
          group={group}
          nameOf={nameOf}
          panelOpen={panelOpen}
          onTogglePanel={() => (panelOpen ? closeDetails : openDetails)(conversWith)}
        />
        <Timeline view={view} title={title} nameOf={nameOf} />
        {outsider ? (
          <p className="composer-closed">You are not a member of this group, so you cannot write here.</p>
        ) : (
          <Composer conversation={view.conversation} title={title} />
        )}
      </main>
      {panelOpen && group !== undefined && (
        <GroupPanel
          group={group}
          outsider={outsider}
          nameOf={nameOf}
          onClose={() => closeDetails(conversWith)}
        />
      )}
    </>
  );
}

import type { MessageState } from "@chat21/client-sdk";
import { Icon, type IconName } from "../ui/icon.tsx";

/** The mark of the user's own message: waiting, sent, delivered and so on. */
export function MessageMark({ state }: { state: MessageState }) {
  const mark = marks[state];
  if (mark === undefined) return null;
  return (
    <span className="mark" data-mark={state} title={mark.label}>
      <Icon name={mark.icon} />
      <span className="visually-hidden">{mark.label}</span>
    </span>
  );
}

const marks: Partial<Record<MessageState, { readonly icon: IconName; readonly label: string }>> = {
  queued: { icon: "clock", label: "Waiting to be sent" },
  sending: { icon: "clock", label: "Sending" },
  sent: { icon: "check", label: "Sent" },
  delivered: { icon: "checks", label: "Delivered" },
  read: { icon: "checks", label: "Read" },
  failed: { icon: "alert", label: "Not sent" },
};

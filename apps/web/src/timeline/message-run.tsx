import { Avatar } from "../ui/avatar.tsx";
import { toneOf } from "../ui/name-mark.ts";
import type { Run } from "./arrange-messages.ts";
import { MessageBubble } from "./message-bubble.tsx";

/** Consecutive messages of one sender. In a group they carry the sender's name and picture. */
export function MessageRun({ run, direct, name }: { run: Run; direct: boolean; name: string }) {
  const named = !direct && !run.own;
  return (
    <div className="run" data-own={run.own} data-direct={direct} data-continued={run.continued}>
      {named && !run.continued && (
        <p className="run-sender ellipsis" data-tone={toneOf(run.sender)} title={run.sender}>
          {name}
        </p>
      )}
      {named && <Avatar id={run.sender} name={name} size="small" />}
      {!named && <p className="visually-hidden">{run.own ? "You" : name}</p>}
      <ol>
        {run.messages.map((message) => (
          <MessageBubble key={message.key} message={message} />
        ))}
      </ol>
    </div>
  );
}

import type { ChatMessage } from "@chat21/client-sdk";
import { linkify } from "./linkify.ts";

/** The text of a message with its links. Markup in it is shown as plain text. */
export function MessageContent({ message }: { message: ChatMessage }) {
  const source = attachmentSource(message);
  if (message.text === "" && source === undefined)
    return <span className="unsupported">({message.type})</span>;
  return (
    <>
      <LinkedText text={message.text} />
      {source !== undefined && !message.text.includes(source) && (
        <>
          {message.text !== "" && "\n"}
          <LinkedText text={source} />
        </>
      )}
    </>
  );
}

function LinkedText({ text }: { text: string }) {
  return linkify(text).map((part, index) =>
    part.href === undefined ? (
      part.text
    ) : (
      <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
        {part.text}
      </a>
    ),
  );
}

/** Returns the address of a picture or file, from the metadata. */
function attachmentSource(message: ChatMessage): string | undefined {
  const { metadata } = message;
  if (message.type === "text" || typeof metadata !== "object" || metadata === null) return undefined;
  const source: unknown = Reflect.get(metadata, "src");
  return typeof source === "string" && /^https?:\/\//iu.test(source) ? source : undefined;
}

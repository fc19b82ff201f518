import type { ChatMessage } from "@chat21/client-sdk";
import { useState } from "preact/compat";
import { isBlank } from "../ui/foreign-text.ts";
import { foldText } from "./fold-text.ts";
import { linkify } from "./linkify.ts";

/** The text of a message with its links. Markup in it is shown as plain text. */
export function MessageContent({ message }: { message: ChatMessage }) {
  const source = attachmentSource(message);
  if (isBlank(message.text) && source === undefined)
    return <span className="unsupported">({message.type === "text" ? "empty message" : message.type})</span>;
  return (
    <>
      <FoldedText text={message.text} />
      {source !== undefined && !message.text.includes(source) && (
        <>
          {message.text !== "" && "\n"}
          <LinkedText text={source} />
        </>
      )}
    </>
  );
}

/** A long text shows its beginning, and the rest on request. */
function FoldedText({ text }: { text: string }) {
  const [unfolded, setUnfolded] = useState(false);
  const beginning = unfolded ? text : foldText(text);
  return (
    <>
      <LinkedText text={beginning} />
      {beginning.length < text.length && (
        <>
          …
          <button type="button" className="unfold" data-unfolds onClick={() => setUnfolded(true)}>
            Show all
          </button>
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

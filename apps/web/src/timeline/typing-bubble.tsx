/** Moving dots while somebody types. The header says the same in words. */
export function TypingBubble({ names }: { names: readonly string[] }) {
  return (
    <div className="typing-bubble" title={`${names.join(", ")}: typing`} aria-hidden="true">
      <span />
      <span />
      <span />
    </div>
  );
}

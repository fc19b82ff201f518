/** Dots that move while somebody writes. The header says it in words. */
export function TypingBubble({ names }: { names: readonly string[] }) {
  return (
    <div className="typing-bubble" title={`${names.join(", ")}: typing`} aria-hidden="true">
      <span />
      <span />
      <span />
    </div>
  );
}

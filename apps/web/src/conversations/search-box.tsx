import { useRef } from "preact/compat";
import { searchFieldId } from "../chat/use-shortcuts.ts";
import { Icon } from "../ui/icon.tsx";
import { focusFirstConversation } from "./list-keys.ts";

/** The search field. Arrow down moves into the list. Esc clears the field; a second Esc leaves it. */
export function SearchBox({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const field = useRef<HTMLInputElement>(null);

  function handleKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || (event.key === "Enter" && query !== "")) focusFirstConversation();
    else if (event.key === "Escape" && query !== "") onQuery("");
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
  }

  return (
    <search className="search">
      <Icon name="search" />
      <input
        ref={field}
        id={searchFieldId}
        type="search"
        value={query}
        placeholder="Search"
        aria-label="Search conversations"
        aria-keyshortcuts="/"
        autoComplete="off"
        onInput={(event) => onQuery(event.currentTarget.value)}
        onKeyDown={handleKey}
      />
      {query === "" ? (
        <span className="key" aria-hidden="true">
          /
        </span>
      ) : (
        <button
          type="button"
          className="icon-button"
          aria-label="Clear the search"
          onClick={() => {
            onQuery("");
            field.current?.focus();
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </search>
  );
}

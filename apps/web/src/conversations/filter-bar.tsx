import type { ListFilter } from "./filter-conversations.ts";

/** Buttons that choose which conversations the list shows. */
export function FilterBar(props: { filter: ListFilter; onFilter: (filter: ListFilter) => void }) {
  return (
    <fieldset className="filters" aria-label="Show">
      {filters.map(({ filter, label }) => (
        <button
          key={filter}
          type="button"
          aria-pressed={filter === props.filter}
          onClick={() => props.onFilter(filter)}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

const filters = [
  { filter: "all", label: "All" },
  { filter: "unread", label: "Unread" },
  { filter: "archived", label: "Archived" },
] as const satisfies readonly { filter: ListFilter; label: string }[];

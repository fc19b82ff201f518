/** A decorative icon. The control around it carries the label. */
export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** The name of an icon. */
export type IconName = keyof typeof paths;

/** SVG paths on a 24 by 24 grid. The style sheet sets colour and width. */
const paths = {
  alert: "M12 7.5v5.5M12 16.5v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  archive: "M4 8h16v10a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V8ZM3 4h18v4H3zM10 12h4",
  back: "M15 5l-7 7 7 7",
  bell: "M6 16V11a6 6 0 1 1 12 0v5l1.5 2h-15L6 16ZM10 21h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2 12.5l4.5 4.5L16 7.5M12 16.5l.5.5L22 7.5",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 8v4.5l2.5 1.5",
  close: "M6 6l12 12M18 6L6 18",
  compose: "M12 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-6M10.5 13.5l.5-3 8-8 2.5 2.5-8 8-3 .5Z",
  down: "M6 10l6 6 6-6",
  exit: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h10",
  group:
    "M9 5a3.2 3.2 0 1 0 0 6.4A3.2 3.2 0 0 0 9 5ZM3 19c.4-3.2 2.8-5 6-5s5.6 1.8 6 5M16 5.3a3.2 3.2 0 0 1 0 5.9M17.5 14.3c2 .7 3.2 2.3 3.5 4.7",
  info: "M12 11v5.5M12 7.5v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  more: "M5.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M11.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M17.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0",
  pencil: "M5 19l1-4L16.5 4.5l3 3L9 18l-4 1Z",
  person: "M12 4.5a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4ZM5 20c.5-3.5 3.3-5.5 7-5.5s6.5 2 7 5.5",
  plus: "M12 5v14M5 12h14",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM15.5 15.5L20 20",
  send: "M12 19V5M6 11l6-6 6 6",
} as const;

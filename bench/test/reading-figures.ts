/** Options of a reading that takes seconds. */
export const littleReading = ["--conversations", "40", "--rounds", "1"];

/** The figures of the scenario `reading`, in its order. */
export const readingFigures = [
  "sync-first v1 compressed first call",
  "sync-same v1 compressed warm",
  "list-first-page old compressed first call",
  "list-first-page old compressed warm",
  "list-first-page old plain warm",
  "list-first-page v1 compressed first call",
  "list-first-page v1 compressed warm",
  "list-first-page v1 plain warm",
  "list-heavy old compressed warm",
  "list-heavy v1 compressed warm",
  "sync-changed v1 compressed warm",
  "sync-changed v1 plain warm",
];

export type { RefusedItem } from "../conversations/report.ts";
export type { ImportOriginalDatabaseOptions, OriginalImportTarget } from "./import-database.ts";
export { importOriginalDatabase } from "./import-database.ts";
export { OriginalDatabase } from "./original-database.ts";
export type { RejectsFile } from "./rejects-file.ts";
export { openRejectsFile } from "./rejects-file.ts";
export type { RefusedDocument } from "./scan.ts";
export type { OriginalImportSummary } from "./summary.ts";

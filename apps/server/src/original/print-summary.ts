import { type OriginalRefusal, originalRefusals } from "@chat21/original";
import type { OriginalImportSummary } from "@chat21/original/database";
import { printLine, printTable } from "../output.ts";

/** Shows a summary to a person. */
export function printSummary(summary: OriginalImportSummary): void {
  const { conversations, messages, groups, instances, read } = summary;
  const wouldBe = summary.dryRun ? "would be " : "";
  const rows: readonly (readonly [string, number, string])[] = [
    ["copies read", read.copies, "documents of messages, one for each member"],
    ["receipts of nothing", read.stubs, "documents that hold a receipt and no message: left out"],
    ["conversations", conversations.imported, `${wouldBe}numbered now`],
    ["", conversations.resumed, "of these, begun by an earlier import"],
    ["", conversations.numbered, "numbered already: as they are"],
    ["", conversations.skipped, "with events of their own in the new store: left alone"],
    ["", conversations.empty, "without a message that can be taken over"],
    ["messages", messages.imported, `${wouldBe}imported now`],
    ["", messages.moved, "of these, under another time than the original's"],
    ["", messages.numbered, "imported already"],
    ["", messages.skipped, "in the conversations that were left alone"],
    ["times", read.times.seconds, "in seconds: the same in milliseconds"],
    ["", read.times.replaced, "missing or impossible: replaced by the nearest one known"],
    ["groups", groups.created, "with name, owner and members"],
    ["", groups.transient, "that nobody has created: of their first sender"],
    ["places", summary.places, "of members: what is read, received, archived"],
    ["push registrations", instances.imported, `${wouldBe}imported now`],
    ["", instances.known, "there already"],
    ["other apps", read.otherApps, "documents of apps that were not asked for"],
  ];
  const columns = [
    { title: "what", value: (row: (typeof rows)[number]) => row[0] },
    { title: "count", value: (row: (typeof rows)[number]) => String(row[1]).padStart(9) },
    { title: "", value: (row: (typeof rows)[number]) => row[2] },
  ];
  printTable(
    columns,
    rows.filter(([what, count]) => count > 0 || ["copies read", "conversations", "messages"].includes(what)),
  );
  printRefusals(summary);
}

function printRefusals({ refused }: OriginalImportSummary): void {
  const reasons = Object.entries(refused) as [OriginalRefusal, number][];
  if (reasons.length === 0) return;
  printLine();
  printLine("Not taken over:");
  printTable<[OriginalRefusal, number]>(
    [
      { title: "count", value: ([, count]) => String(count).padStart(9) },
      { title: "reason", value: ([reason]) => reason },
      { title: "", value: ([reason]) => originalRefusals[reason] },
    ],
    reasons.sort(([, a], [, b]) => b - a),
  );
}

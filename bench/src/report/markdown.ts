import type { Machine } from "../measure/machine.ts";
import type { Judgement } from "./judgement.ts";

/** A table in Markdown. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The targets and the measured results. */
export function judgementTable(judgements: readonly Judgement[]): string {
  const rows = judgements.map(({ what, target, got, met }) => [what, target, got, met ? "yes" : "**no**"]);
  return table(["what", "target", "measured", "met"], rows);
}

/** A sentence about the machine of the measurements. */
export function machineSentence(machine: Machine, fsyncMs: number): string {
  const { cores, processor, memoryGiB, kernel, node } = machine;
  return `${cores} cores (${processor}), ${memoryGiB} GiB of memory, ${kernel}, Node ${node}; an fsync of 4 KiB takes ${fsyncMs} ms.`;
}

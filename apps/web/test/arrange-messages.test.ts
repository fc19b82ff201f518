import { describe, expect, test } from "vitest";
import { arrangeMessages } from "../src/timeline/arrange-messages.ts";
import { info, message } from "./message-fixture.ts";

const noon = new Date(2026, 2, 3, 12).getTime();
const minute = 60_000;
const shape = (days: ReturnType<typeof arrangeMessages>) =>
  days.map((day) =>
    rowsOf(day).map((row) =>
      row.kind === "unread" ? "unread" : `${row.kind} ${row.messages.map((one) => one.seq).join(" ")}`,
    ),
  );
const rowsOf = (day: ReturnType<typeof arrangeMessages>[number] | undefined) =>
  day?.blocks.flatMap((block) => block.rows) ?? [];

describe("arrangeMessages", () => {
  test("puts what one person says without a pause into one run", () => {
    const days = arrangeMessages(
      [
        message({ seq: 1, timestamp: noon }),
        message({ seq: 2, timestamp: noon + minute }),
        message({ seq: 3, timestamp: noon + 2 * minute, sender: "ada", own: true }),
        message({ seq: 4, timestamp: noon + 3 * minute }),
        message({ seq: 5, timestamp: noon + 9 * minute }),
      ],
      null,
    );

    expect(shape(days)).toEqual([["run 1 2", "run 3", "run 4", "run 5"]]);
  });

  test("begins a new day at midnight, whoever speaks", () => {
    const midnight = new Date(2026, 2, 4).getTime();

    const days = arrangeMessages(
      [message({ seq: 1, timestamp: midnight - minute }), message({ seq: 2, timestamp: midnight + minute })],
      null,
    );

    expect(shape(days)).toEqual([["run 1"], ["run 2"]]);
    expect(days[1]?.timestamp).toBe(midnight);
  });

  test("keeps messages from the future in the latest day, with those before and after them", () => {
    const today = new Date(2026, 2, 3).getTime();
    const day = 24 * 60 * minute;

    const days = arrangeMessages(
      [
        message({ seq: 1, timestamp: noon - day }),
        message({ seq: 2, timestamp: noon }),
        message({ seq: 3, timestamp: noon + 2 * day }),
        message({ seq: 4, timestamp: noon + minute }),
      ],
      null,
      [],
      today,
    );

    expect(days.map(({ timestamp }) => timestamp)).toEqual([today - day, today]);
    expect(days[1]?.blocks.flatMap((block) => block.messages.map(({ seq }) => seq))).toEqual([2, 3, 4]);
  });

  test("divides before the first unread message of somebody else", () => {
    const days = arrangeMessages(
      [
        message({ seq: 1, timestamp: noon }),
        message({ seq: 2, timestamp: noon, sender: "ada", own: true }),
        message({ seq: 3, timestamp: noon }),
        message({ seq: 4, timestamp: noon }),
      ],
      1,
    );

    expect(shape(days)).toEqual([["run 1", "run 2", "unread", "run 3 4"]]);
  });

  test("divides inside a run", () => {
    const days = arrangeMessages(
      [message({ seq: 1, timestamp: noon }), message({ seq: 2, timestamp: noon })],
      1,
    );

    expect(shape(days)).toEqual([["run 1", "unread", "run 2"]]);
  });

  test("does not divide before what is one's own or not stored yet", () => {
    const own = { sender: "ada", own: true, timestamp: noon };

    expect(shape(arrangeMessages([message({ seq: 1, ...own }), message({ seq: null, ...own })], 0))).toEqual([
      ["run 1 "],
    ]);
  });

  test("shows people who joined one after the other in one row, and other events alone", () => {
    const days = arrangeMessages(
      [
        info(1, "GROUP_CREATED", { creator: "ada" }, { timestamp: noon }),
        info(2, "MEMBER_JOINED_GROUP", { member_id: "ada" }, { timestamp: noon }),
        info(3, "MEMBER_JOINED_GROUP", { member_id: "grace" }, { timestamp: noon }),
        message({ seq: 4, timestamp: noon, sender: "system" }),
        info(5, "MEMBER_JOINED_GROUP", { member_id: "alan" }, { timestamp: noon }),
      ],
      null,
    );

    expect(shape(days)).toEqual([["info 1", "info 2 3", "info 4", "info 5"]]);
  });

  test("keeps the keys of rows that were there when older messages are added", () => {
    const newer = [
      message({ seq: 8, timestamp: noon, sender: "ada", own: true }),
      message({ seq: 9, timestamp: noon }),
    ];
    const before = rowsOf(arrangeMessages(newer, null).at(-1)).map((row) => row.key);

    const after = rowsOf(arrangeMessages([message({ seq: 7, timestamp: noon }), ...newer], null).at(-1)).map(
      (row) => row.key,
    );

    expect(after.slice(1)).toEqual(before);
  });

  test("puts messages that were deleted one behind the other into one row, whoever wrote them", () => {
    const days = arrangeMessages(
      [
        message({ seq: 1, timestamp: noon }),
        message({ seq: 2, timestamp: noon, deleted: true }),
        message({ seq: 3, timestamp: noon, deleted: true, sender: "ada", own: true }),
        message({ seq: 4, timestamp: noon }),
        message({ seq: 5, timestamp: noon, deleted: true }),
      ],
      4,
    );

    expect(shape(days)).toEqual([["run 1", "deleted 2 3", "run 4", "deleted 5"]]);
  });

  test("keeps a message with an earlier time behind those that were stored before it", () => {
    const own = { sender: "ada", own: true, seq: null };

    const days = arrangeMessages(
      [
        message({ seq: 1, timestamp: noon }),
        message({ ...own, timestamp: noon - 26 * 60 * minute }),
        message({ ...own, timestamp: noon + minute }),
      ],
      null,
    );

    expect(shape(days)).toEqual([["run 1", "run ", "run "]]);
  });

  test("takes over what has not changed when a page is added in front, a message behind, or one changes", () => {
    const held = Array.from({ length: 400 }, (_, n) => message({ seq: n + 1, timestamp: noon + n * 1_000 }));
    const blocksOf = (days: ReturnType<typeof arrangeMessages>) => days.flatMap((day) => day.blocks);

    const first = arrangeMessages(held.slice(120, 380), null);
    const older = arrangeMessages(held.slice(70, 380), null, first);
    const newer = arrangeMessages(held.slice(70, 381), null, older);
    const changed = newer.flatMap((day) => day.blocks.flatMap((block) => block.messages));
    changed[100] = { ...(changed[100] as (typeof changed)[number]), text: "", deleted: true };
    const amended = arrangeMessages(changed, null, newer);

    const fresh = (now: typeof first, before: typeof first) =>
      blocksOf(now)
        .filter((block) => !blocksOf(before).includes(block))
        .map((block) => block.key);
    expect(blocksOf(newer).map((block) => block.key)).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `block ${n}`));
    expect(fresh(older, first)).toEqual(["block 1", "block 2"]);
    expect(fresh(newer, older)).toEqual(["block 7"]);
    expect(fresh(amended, newer)).toEqual(["block 3"]);
    expect(shape(older).flat().join(" ").match(/\d+/gu)).toHaveLength(310);
  });

  test("goes on with a run in the next block, and keeps its days when nothing has changed", () => {
    const held = Array.from({ length: 60 }, (_, n) => message({ seq: n + 20, timestamp: noon + n * 1_000 }));

    const days = arrangeMessages(held, null);

    const runs = rowsOf(days[0]).flatMap((row) => (row.kind === "run" ? [row] : []));
    expect(runs.map((run) => [run.messages.length, run.continued])).toEqual([
      [30, false],
      [30, true],
    ]);
    expect(arrangeMessages([...held], null, days)[0]).toBe(days[0]);
  });
});

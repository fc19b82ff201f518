import type { Mark } from "@chat21/protocol";
import { ChatError } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import type { MarksRecord } from "../src/outbox/mark-keeper.ts";
import type { RecordStore } from "../src/outbox/record-store.ts";
import { WatermarkQueue } from "../src/outbox/watermark-queue.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";

/** A storage that writes within the call, as a browser's does. */
class Records implements RecordStore<MarksRecord> {
  readonly map = new Map<string, MarksRecord>();

  get marks(): readonly Mark[] {
    return [...this.map.values()].flatMap(({ marks }) => marks);
  }

  async list() {
    return [...this.map.values()];
  }

  async put(record: MarksRecord) {
    this.map.set(record.id, record);
  }

  async delete(id: string) {
    this.map.delete(id);
  }
}

type Outcome = (marks: readonly Mark[]) => ChatError | null | Promise<null>;

function openQueue(outcome: Outcome = () => null, records: RecordStore<MarksRecord> = new Records()) {
  const clock = new ManualClock();
  const sent: (readonly Mark[])[] = [];
  const errors: ChatError[] = [];
  const loaded: [string, number][] = [];
  const known: { epoch: string | undefined } = { epoch: "e-1" };
  const watermarks = new WatermarkQueue({
    clock,
    store: records,
    epoch: () => known.epoch,
    handleLoaded: (...mark) => loaded.push(mark),
    send: async (batch) => {
      sent.push(batch);
      const error = await outcome(batch);
      if (error !== null) throw error;
    },
    handleError: (error) => errors.push(error),
  });
  watermarks.setOnline(true);
  return { clock, errors, known, loaded, sent, watermarks };
}

describe("watermarks", () => {
  test("go out at once, and then at most once a second", async () => {
    const { clock, sent, watermarks } = openQueue();

    watermarks.add({ conversWith: "bob", read: 1 });
    watermarks.add({ conversWith: "bob", read: 2 });
    watermarks.add({ conversWith: "carol", delivered: 1 });
    await clock.advance(999);
    expect(sent).toEqual([[{ conversWith: "bob", read: 1 }]]);
    await clock.advance(1);

    expect(sent.slice(1)).toEqual([
      [
        { conversWith: "bob", read: 2 },
        { conversWith: "carol", delivered: 1 },
      ],
    ]);
  });

  test("of one conversation are merged to the furthest", async () => {
    const { clock, sent, watermarks } = openQueue();
    watermarks.add({ conversWith: "x", read: 1 });
    watermarks.add({ conversWith: "bob", read: 5 });
    watermarks.add({ conversWith: "bob", read: 3, delivered: 9 });

    await clock.advance(1_000);

    expect(sent[1]).toEqual([{ conversWith: "bob", read: 5, delivered: 9 }]);
  });

  test("go out a hundred at a time", async () => {
    const { clock, sent, watermarks } = openQueue();
    watermarks.setOnline(false);
    for (let i = 0; i < 250; i++) watermarks.add({ conversWith: `c-${i}`, read: 1 });

    watermarks.setOnline(true);
    await clock.advance(3_000);

    expect(sent.map((batch) => batch.length)).toEqual([100, 100, 50]);
  });

  test("wait for a connection, and are kept when it is lost", async () => {
    let lost = true;
    const { clock, sent, watermarks } = openQueue(() => (lost ? new ChatError("connection_lost") : null));
    watermarks.add({ conversWith: "bob", read: 1 });
    await settle();
    watermarks.setOnline(false);
    await clock.advance(5_000);
    lost = false;

    watermarks.setOnline(true);
    await watermarks.flush();

    expect(sent).toEqual([[{ conversWith: "bob", read: 1 }], [{ conversWith: "bob", read: 1 }]]);
  });

  test("that are wrong do not hold up the others", async () => {
    const { clock, errors, sent, watermarks } = openQueue((batch) =>
      batch.some(({ conversWith }) => conversWith === "bad") ? new ChatError("not_member") : null,
    );
    watermarks.setOnline(false);
    for (const conversWith of ["a", "bad", "b"]) watermarks.add({ conversWith, read: 1 });

    watermarks.setOnline(true);
    await clock.advance(10_000);

    expect(sent.slice(1)).toEqual([
      [{ conversWith: "a", read: 1 }],
      [{ conversWith: "bad", read: 1 }],
      [{ conversWith: "b", read: 1 }],
    ]);
    expect(errors).toMatchObject([{ code: "not_member" }]);
  });

  test("go out without a pause when the page may end", async () => {
    const { sent, watermarks } = openQueue();
    watermarks.add({ conversWith: "bob", read: 1 });
    watermarks.add({ conversWith: "bob", read: 2 });

    void watermarks.hurry();
    void watermarks.hurry();

    expect(sent).toEqual([[{ conversWith: "bob", read: 1 }], [{ conversWith: "bob", read: 2 }]]);
  });

  test("that nobody could confirm go out in the next run, once", async () => {
    const records = new Records();
    const before = openQueue(() => new Promise(() => undefined), records);
    before.watermarks.add({ conversWith: "bob", read: 1 });
    before.watermarks.add({ conversWith: "bob", read: 2, delivered: 3 });
    before.watermarks.add({ conversWith: "carol", read: 4 });
    await settle();

    const after = openQueue(undefined, records);
    await after.watermarks.load();
    await after.watermarks.flush();
    const last = openQueue(undefined, records);
    await last.watermarks.load();
    await settle();

    expect(after.loaded).toEqual([
      ["bob", 2],
      ["carol", 4],
    ]);
    expect(after.sent).toEqual([
      [
        { conversWith: "bob", delivered: 3, read: 2 },
        { conversWith: "carol", read: 4 },
      ],
    ]);
    expect([records.marks, last.sent]).toEqual([[], []]);
  });

  test("are written in the turn in which they were read", async () => {
    const records = new Records();
    const { watermarks } = openQueue(undefined, records);
    watermarks.setOnline(false);

    watermarks.add({ conversWith: "bob", read: 1 });
    await Promise.resolve().then();

    expect(records.marks).toEqual([{ conversWith: "bob", read: 1 }]);
  });

  test("of delivery alone are written when they are asked to be kept", async () => {
    const records = new Records();
    const { watermarks } = openQueue(undefined, records);
    watermarks.setOnline(false);

    watermarks.add({ conversWith: "bob", delivered: 1 });
    await settle();
    expect(records.marks).toEqual([]);
    await watermarks.keep();
    expect(records.marks).toEqual([{ conversWith: "bob", delivered: 1 }]);
    watermarks.setOnline(true);
    await watermarks.flush();

    expect(records.marks).toEqual([]);
  });

  test("of another epoch are dropped, and wait until the epoch is known", async () => {
    const records = new Records();
    await records.put({ id: "1", epoch: "e-0", marks: [{ conversWith: "bob", read: 9 }] });
    await records.put({ id: "2", epoch: "e-1", marks: [{ conversWith: "carol", read: 1 }] });
    const { known, loaded, sent, watermarks } = openQueue(undefined, records);
    known.epoch = undefined;
    await watermarks.load();
    expect(loaded).toEqual([]);

    known.epoch = "e-1";
    watermarks.takeOver();
    await watermarks.flush();

    expect(loaded).toEqual([["carol", 1]]);
    expect(sent).toEqual([[{ conversWith: "carol", read: 1 }]]);
    expect(records.map.size).toBe(0);
  });

  test("are forgotten with the history that they belong to, also those on their way", async () => {
    const records = new Records();
    let lose = (_: null) => {};
    const { clock, sent, watermarks } = openQueue(() => new Promise((resolve) => (lose = resolve)), records);
    watermarks.add({ conversWith: "bob", read: 1 });
    watermarks.add({ conversWith: "bob", read: 2 });

    watermarks.forget();
    lose(null);
    await clock.advance(5_000);

    expect(sent).toHaveLength(1);
    expect(records.marks).toEqual([]);
  });

  test("go out although the storage fails, which is reported", async () => {
    const records = new Records();
    records.put = () => Promise.reject(new Error("disk full"));
    const { errors, sent, watermarks } = openQueue(() => new Promise(() => undefined), records);

    watermarks.add({ conversWith: "bob", read: 1 });
    await settle();

    expect(sent).toEqual([[{ conversWith: "bob", read: 1 }]]);
    expect(errors).toMatchObject([{ code: "internal", cause: { message: "disk full" } }]);
  });

  test("are sent by a close, and not taken after it", async () => {
    const { sent, watermarks } = openQueue();
    watermarks.add({ conversWith: "bob", read: 1 });
    watermarks.add({ conversWith: "bob", read: 2 });

    watermarks.close();
    watermarks.add({ conversWith: "bob", read: 3 });
    await watermarks.hurry();

    expect(sent.flat().map(({ read }) => read)).toEqual([1, 2]);
  });
});

import type { Mark } from "@chat21/protocol";
import { ChatError } from "@chat21/protocol";
import { describe, expect, test } from "vitest";
import { WatermarkQueue } from "../src/outbox/watermark-queue.ts";
import { ManualClock, settle } from "./support/manual-clock.ts";

function openQueue(outcome: (marks: readonly Mark[]) => ChatError | null = () => null) {
  const clock = new ManualClock();
  const sent: (readonly Mark[])[] = [];
  const errors: ChatError[] = [];
  const watermarks = new WatermarkQueue({
    clock,
    send: async (batch) => {
      sent.push(batch);
      const error = outcome(batch);
      if (error !== null) throw error;
    },
    handleError: (error) => errors.push(error),
  });
  watermarks.setOnline(true);
  return { clock, errors, sent, watermarks };
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
});

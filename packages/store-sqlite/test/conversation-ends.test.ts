import { expect, it } from "vitest";
import { ConversationEnds } from "../src/worker/conversation-ends.ts";

it("shows what one thread sets to another that shares the memory, also where it has grown", () => {
  const memory = ConversationEnds.allocate();
  const [writer, reader] = [new ConversationEnds(memory), new ConversationEnds(memory)];
  const before = [reader.logPosition(3), reader.logPosition(1_000_000)];

  writer.set(3, 7, 1_700_000_000_000);
  writer.set(1_000_000, 8, 1_700_000_000_001);
  writer.touch(3, 9);

  expect(before).toEqual([0, 0]);
  expect([reader.logPosition(3), reader.timestamp(3)]).toEqual([9, 1_700_000_000_000]);
  expect([reader.logPosition(1_000_000), reader.timestamp(1_000_000)]).toEqual([8, 1_700_000_000_001]);
  expect([reader.logPosition(4), reader.timestamp(999_999)]).toEqual([0, 0]);
});

it("leaves conversations to the database that are beyond its room", () => {
  const ends = new ConversationEnds(ConversationEnds.allocate());

  ends.set(2 ** 24, 7, 1);

  expect([ends.holds(2 ** 24 - 1), ends.holds(2 ** 24)]).toEqual([true, false]);
  expect(ends.logPosition(2 ** 24)).toBe(0);
});

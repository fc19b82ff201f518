import type { World } from "@chat21/testkit";
import { expect } from "vitest";

/**
 * Somebody on `url` stops reading while 20 MB come for them: their connection is closed as that of a slow consumer, once,
 * and history has everything.
 */
export async function expectSlowReaderToLeave(world: World, url: string): Promise<void> {
  const closed = () => world.metric("chat21_sessions_closed_total", { reason: "slow_consumer" });
  const before = await closed();
  const sender = await world.connect(world.newUser("sender"));
  const slow = await world.connect(world.newUser("slow"), { url });
  slow.pause();
  const text = "x".repeat(40_000);
  for (let index = 0; index < 500; index++) await sender.send(slow.user, { text: `${index} ${text}` }, 1);

  await expect.poll(closed).toBe(before + 1);
  expect((await world.history(slow.user, sender.user))[0]).toMatchObject({ seq: 500 });
}

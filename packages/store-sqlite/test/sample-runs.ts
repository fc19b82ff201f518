import type { EventRecord, Run, Store } from "@chat21/engine";

/** A run of `count` messages of ann to `bob` after `expectedHead`; ids derive from the conversation and the number. */
export function directRun(bob: string, expectedHead: number, count = 1, body = '{"text":"hi"}'): Run {
  const conversation = `ann.${bob}`;
  const events = Array.from({ length: count }, (_, index): EventRecord => {
    const seq = expectedHead + 1 + index;
    return {
      ...{ app: "app", conversation, seq, type: "message", sender: "ann" },
      ...{ clientMessageId: `key-${bob}-${seq}`, messageId: `id-${bob}-${seq}` },
      ...{
        timestamp: 1_000 + seq,
        committedAt: 1_000 + seq,
        body,
        tempUid: null,
        hiddenFor: null,
        listed: true,
        overlay: null,
      },
    };
  });
  const members = ["ann", bob].map((user) => ({ user, role: "member", intervals: [[1, null]] }) as const);
  return { app: "app", conversation, expectedHead, kind: "direct", transient: false, members, events };
}

/** Erases messages of ann and `bob` by one event behind `head`. */
export async function eraseMessages(
  { events }: Store,
  bob: string,
  head: number,
  seqs: readonly number[],
): Promise<void> {
  const run = directRun(bob, head, 1, '{"seqs":[]}');
  const overlay = `{"version":${head + 1},"deleted":{"by":"ann","at":1}}`;
  const amendments = seqs.map((seq) => ({ seq, overlay, erases: true }));
  await events.commit([
    {
      ...run,
      events: run.events.map((event) => ({ ...event, type: "erased", listed: false })),
      amendments,
    },
  ]);
}

import type { EventRecord, Run } from "@chat21/engine";

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
      },
    };
  });
  const members = ["ann", bob].map((user) => ({ user, role: "member", intervals: [[1, null]] }) as const);
  return { app: "app", conversation, expectedHead, kind: "direct", transient: false, members, events };
}

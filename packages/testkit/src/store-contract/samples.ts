import type { Amendment, EventRecord, GroupRecord, Interval, MemberRecord, Run } from "@chat21/engine";
import type { WebhookDelivery } from "@chat21/events";

/** Time of a sample conversation's first event; the n-th is n milliseconds later. */
export const sampleTime = 1_700_000_000_000;

/** A message with everything set; names derive from the conversation and the number. */
function sampleEvent(
  app: string,
  conversation: string,
  seq: number,
  over: Partial<EventRecord> = {},
): EventRecord {
  const name = `${conversation}-${seq}`;
  return {
    app,
    conversation,
    seq,
    type: "message",
    sender: "ann",
    clientMessageId: `key-${name}`,
    messageId: `id-${name}`,
    timestamp: sampleTime + seq,
    committedAt: sampleTime + seq,
    body: `{"text":"${name}"}`,
    tempUid: `temp-${name}`,
    hiddenFor: null,
    listed: true,
    overlay: null,
    ...over,
  };
}

/** Members with a role and intervals. @default every one from 1 on */
export function sampleMembers(
  users: readonly string[],
  intervals: readonly Interval[] = [[1, null]],
): readonly MemberRecord[] {
  return users.map((user) => ({ user, role: "member", intervals }));
}

/** A group's data. */
export const sampleGroup: GroupRecord = {
  name: "Team",
  owner: "ann",
  createdOn: sampleTime,
  updatedOn: sampleTime,
  attributes: '{"color":"blue"}',
};

/** Amendments that erase these messages, as the event `version` would. */
export function sampleErasures(version: number, ...seqs: readonly number[]): readonly Amendment[] {
  const overlay = JSON.stringify({ version, deleted: { by: "ann", at: sampleTime } });
  return seqs.map((seq) => ({ seq, overlay, erases: true }));
}

/** Settings of {@link sampleRun}. */
export interface RunOptions extends Partial<Omit<Run, "events">> {
  /** Events to write. @default 1 */
  readonly count?: number;
  /** Set in every event. */
  readonly each?: Partial<EventRecord>;
  /** Set in single events, by index. */
  readonly events?: readonly Partial<EventRecord>[];
}

/** A run at `expectedHead` (default 0). A direct conversation's first run brings its members. */
export function sampleRun(app: string, conversation: string, options: RunOptions = {}): Run {
  const { count, each, events = [], expectedHead = 0, ...facts } = options;
  const direct = conversation.includes(".");
  const length = count ?? Math.max(1, events.length);
  return {
    app,
    conversation,
    expectedHead,
    kind: direct ? "direct" : "group",
    transient: false,
    ...(expectedHead === 0 && direct
      ? { members: sampleMembers([...new Set(conversation.split("."))]) }
      : {}),
    ...facts,
    events: Array.from({ length }, (_, index) =>
      sampleEvent(app, conversation, expectedHead + 1 + index, { ...each, ...events[index] }),
    ),
  };
}

/** A delivery that is due at {@link sampleTime}. */
export function sampleDelivery(id: string, over: Partial<WebhookDelivery> = {}): WebhookDelivery {
  return {
    id,
    endpoint: "https://backend.example/hook",
    app: "app",
    orderKey: "ann.bob",
    event: "message-sent",
    body: `{"id":"${id}"}`,
    createdAt: sampleTime,
    ...over,
  };
}

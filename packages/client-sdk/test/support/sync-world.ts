import type {
  ConversationEvent,
  ConversationState,
  HistoryResponse,
  SyncRequest,
  SyncResponse,
} from "@chat21/protocol";
import { ChatError } from "@chat21/protocol";
import type { ModelEvent } from "@chat21/testkit/fake-server";
import { ModelLog } from "@chat21/testkit/fake-server";
import type { HistoryRange, ReleasedEvent, SyncSink, SyncSource } from "../../src/sync/sync-source.ts";
import { Synchronizer } from "../../src/sync/synchronizer.ts";
import { ManualClock, settle } from "./manual-clock.ts";

const me = "alice";

/** What a client was told of one conversation since it (or the conversation) began anew. */
interface Segment {
  readonly epoch: string;
  /** Everything up to here was there at the beginning; `null` when it began with the first event. */
  readonly after: number | null;
  readonly released: ReleasedEvent[];
}

interface Asked {
  answer(): void;
  fail(error: ChatError): void;
}

/** A synchronizer between a model server and a checker; every answer and every delivery waits for the test. */
export class SyncWorld implements SyncSource, SyncSink {
  readonly log = new ModelLog();
  readonly clock = new ManualClock();
  readonly synchronizer: Synchronizer;
  readonly errors: ChatError[] = [];
  readonly #segments = new Map<string, Segment[]>();
  readonly #visibleByEpoch = new Map<string, Map<string, readonly ModelEvent[]>>();
  #asked: Asked[] = [];
  #live: ConversationEvent[] = [];
  #connection: AbortController | undefined;

  constructor(options: { readonly pageEvents: number; readonly maxCatchUp: number }) {
    this.synchronizer = new Synchronizer({
      user: me,
      source: this,
      sink: this,
      clock: this.clock,
      backoff: () => 100,
      ...options,
    });
  }

  sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse> {
    return this.#ask(() => this.log.sync(me, request), signal);
  }

  events(conversWith: string, range: HistoryRange, signal?: AbortSignal): Promise<HistoryResponse> {
    return this.#ask(() => {
      const answer = this.log.history(me, conversWith, range);
      if (answer === null) throw new ChatError("not_found");
      return answer;
    }, signal);
  }

  handleComparison(): void {}

  handleArrival(): void {}

  handleReleased(conversWith: string, events: readonly ReleasedEvent[]): void {
    const segments = this.#of(conversWith);
    const epoch = this.synchronizer.epoch ?? "";
    if (segments.length === 0) segments.push({ epoch, after: null, released: [] });
    segments.at(-1)?.released.push(...events);
  }

  handleRestart(conversWith: string): void {
    const after = this.synchronizer.timeline(conversWith)?.position ?? 0;
    this.#of(conversWith).push({ epoch: this.synchronizer.epoch ?? "", after, released: [] });
  }

  handleState(_state: ConversationState): void {}

  handleGone(conversWith: string): void {
    this.#segments.set(conversWith, [...this.#of(conversWith), { epoch: "", after: null, released: [] }]);
    this.#segments.delete(conversWith);
  }

  handleError(error: ChatError): void {
    this.errors.push(error);
  }

  /** The server appends, and delivers live when there is a connection. */
  append(conversation: string, sender: string, hidden: boolean, type = "message", body = {}): void {
    const event = this.log.append({ conversation, sender, type, body, hiddenFor: hidden ? [me] : [] });
    const conversWith = this.log.eventFor(me, event).conversWith;
    const visible = this.log.visible(me, conversWith).includes(event);
    if (visible && this.#connection !== undefined) this.#live.push(this.log.eventFor(me, event));
  }

  join(group: string): void {
    if (this.log.membersOf(group).includes(me)) return;
    const head = this.log.membersOf(group).length === 0 ? 0 : this.log.visible("carol", group).length;
    this.log.join(group, [me], Math.max(1, head - 2));
    this.append(group, "carol", false, "member_added", { member_id: me });
  }

  /** The next live event arrives, arrives twice, is overtaken by the one behind it, or never arrives. */
  deliver(fate: "once" | "twice" | "swapped" | "lost"): void {
    if (fate === "swapped" && this.#live.length > 1)
      this.#live.splice(0, 2, ...this.#live.slice(0, 2).reverse());
    const event = this.#live.shift();
    if (event === undefined || fate === "lost") return;
    this.synchronizer.handleLive(event);
    if (fate === "twice") this.synchronizer.handleLive(event);
  }

  /** The oldest open request is answered, or fails. */
  async respond(how: "answer" | "fail"): Promise<void> {
    const asked = this.#asked.shift();
    if (how === "answer") asked?.answer();
    else asked?.fail(new ChatError("store_unavailable"));
    await settle();
  }

  connect(): void {
    if (this.#connection !== undefined) return;
    this.#connection = new AbortController();
    this.synchronizer.hold();
    this.#compare(this.#connection.signal);
  }

  check(): void {
    if (this.#connection !== undefined) this.#compare(this.#connection.signal);
  }

  async disconnect(): Promise<void> {
    this.#live = [];
    this.#connection?.abort();
    this.#connection = undefined;
    this.synchronizer.pause();
    await settle();
  }

  restore(share: number): void {
    this.#keepVisible();
    this.log.restore(share);
    this.#live = [];
  }

  /** Everything that is under way arrives, and one more comparison finds what was lost at the end. */
  async quiesce(): Promise<void> {
    this.connect();
    for (let round = 0; round < 2; round++) {
      for (let quiet = 0; quiet < 3; ) {
        const busy = this.#asked.length > 0 || this.#live.length > 0 || this.clock.pending > 0;
        while (this.#live.length > 0) this.deliver("once");
        while (this.#asked.length > 0) await this.respond("answer");
        await this.clock.advance(1_000);
        quiet = busy ? 0 : quiet + 1;
      }
      if (round === 0) this.check();
      await settle();
    }
  }

  /** What is wrong with what the client was told, in words. */
  faults(): string[] {
    this.#keepVisible();
    const faults = [...this.#segments].flatMap(([conversWith, segments]) =>
      segments.flatMap((segment, index) => {
        const visible = this.#visibleByEpoch.get(segment.epoch)?.get(conversWith) ?? [];
        return faultsOf(conversWith, segment, visible, index === segments.length - 1);
      }),
    );
    const missing = this.#conversations().filter(
      (conversWith) => this.log.visible(me, conversWith).length > 0 && !this.#segments.has(conversWith),
    );
    return [...faults, ...missing.map((conversWith) => `${conversWith}: never heard of`)];
  }

  #compare(signal: AbortSignal): void {
    const run = async () => {
      while (!signal.aborted) {
        const failed = await this.synchronizer.catchUp(signal).then(
          () => false,
          () => true,
        );
        if (!failed) return;
      }
    };
    void run();
  }

  #ask<Value>(read: () => Value, signal?: AbortSignal): Promise<Value> {
    return new Promise((resolve, reject) => {
      const asked = {
        answer: () => {
          try {
            resolve(read());
          } catch (thrown) {
            reject(thrown);
          }
        },
        fail: reject,
      };
      this.#asked.push(asked);
      signal?.addEventListener("abort", () => {
        this.#asked = this.#asked.filter((other) => other !== asked);
        reject(new ChatError("connection_lost"));
      });
    });
  }

  #of(conversWith: string): Segment[] {
    const segments = this.#segments.get(conversWith) ?? [];
    this.#segments.set(conversWith, segments);
    return segments;
  }

  #conversations(): string[] {
    return this.log.sync(me, { positions: {} }).conversations.map(({ state }) => state.conversWith);
  }

  #keepVisible(): void {
    const visible = this.#conversations().map((id) => [id, this.log.visible(me, id)] as const);
    this.#visibleByEpoch.set(this.log.epoch, new Map(visible));
  }
}

function faultsOf(
  conversWith: string,
  segment: Segment,
  visible: readonly ModelEvent[],
  isLast: boolean,
): string[] {
  const { after, released } = segment;
  const numbers = released.map(({ event }) => event.seq);
  const joinedAt = visible.findLast(({ body }) => body["member_id"] === me)?.seq ?? 0;
  // Of the history before one's own joining, a client may hold as little as it likes.
  const from = after ?? ((numbers[0] ?? 0) <= joinedAt ? (numbers[0] ?? 1) - 1 : 0);
  const last = isLast ? Number.POSITIVE_INFINITY : (numbers.at(-1) ?? 0);
  const expected = visible.filter(({ seq }) => seq > from && seq <= last).map(({ seq }) => seq);
  const faults: string[] = [];
  if (numbers.join() !== expected.join()) faults.push(`${conversWith}: expected ${expected}, got ${numbers}`);
  for (const { event, fresh } of released) {
    if (fresh !== event.seq >= joinedAt)
      faults.push(`${conversWith}: ${event.seq} is ${fresh ? "" : "not "}announced`);
  }
  return faults;
}

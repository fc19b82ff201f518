import type { EventRecord } from "@chat21/engine";
import type {
  ChatError as ChatErrorType,
  ConversationEvent,
  HistoryResponse,
  SyncRequest,
  SyncResponse,
} from "@chat21/protocol";
import {
  ChatError,
  conversWithOf,
  historyResponseSchema,
  looksLikeGroupId,
  syncResponseSchema,
  validate,
} from "@chat21/protocol";
import type { RecordedClient } from "@chat21/testkit";
import { createDownlink } from "../../src/connection/downlink.ts";
import type { ReleasedEvent, Update } from "../../src/conversation/update.ts";
import type { HistoryRange, SyncSource } from "../../src/sync/sync-source.ts";
import type { SynchronizerOptions } from "../../src/sync/synchronizer.ts";
import { Synchronizer } from "../../src/sync/synchronizer.ts";
import { EngineWorld, type EngineWorldOptions } from "./engine-world.ts";
import { ManualClock, settle } from "./manual-clock.ts";
import { actor } from "./test-server.ts";

const me = "alice";
const utf8 = new TextEncoder();

/** What a client was told of one conversation since it (or the conversation) began anew. */
interface Segment {
  readonly epoch: string;
  /** Everything up to here was there at the beginning; `null` when it began with the first event. */
  readonly after: number | null;
  /** Up to which number something was said. */
  to: number;
  readonly released: ReleasedEvent[];
}

/** How a client asks. */
export type SyncWorldOptions = Required<Pick<SynchronizerOptions, "maxCatchUp" | "pageEvents">>;

interface Asked {
  /** As the server stood when it was asked, or as it stands now. */
  answer(when: "then" | "now"): Promise<void>;
  fail(error: ChatErrorType): void;
}

/** The events of a conversation that the user may see. */
type Visible = readonly Pick<EventRecord, "body" | "seq" | "timestamp" | "type">[];

/** A synchronizer between a real engine and a checker; every answer and every delivery waits for the test. */
export class SyncWorld implements SyncSource {
  readonly server: EngineWorld;
  readonly clock = new ManualClock();
  readonly errors: ChatError[] = [];
  readonly #options: SyncWorldOptions;
  #synchronizer: Synchronizer;
  readonly #downlink: (topic: string, payload: Uint8Array) => void;
  readonly #segments = new Map<string, Segment[]>();
  readonly #open = new Set<string>();
  readonly #visibleByEpoch = new Map<string, Map<string, Visible>>();
  readonly #wrong: string[] = [];
  #asked: Asked[] = [];
  #live: ConversationEvent[] = [];
  /** The server's time at the first answer of sync from each epoch: what was written before need not be announced. */
  readonly #signedInAt = new Map<string, number>();
  #client: RecordedClient | undefined;
  #connection: AbortController | undefined;

  private constructor(server: EngineWorld, options: SyncWorldOptions) {
    this.server = server;
    this.#options = options;
    this.#synchronizer = this.#start();
    this.#downlink = createDownlink({
      dispatch: () => undefined,
      log: { debug() {}, info() {}, warn() {} },
      epoch: () => undefined,
      handleEvent: (event) => void this.#live.push(event),
      handleGroup: () => undefined,
      handleAnswer: () => undefined,
      handleEphemeral: () => undefined,
    });
  }

  static async open(server: EngineWorldOptions, options: SyncWorldOptions): Promise<SyncWorld> {
    return new SyncWorld(await EngineWorld.start(server), options);
  }

  async sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse> {
    const answer = await this.#ask(async () => {
      const text = await this.server.engine.sync.sync(actor(me), request);
      return validate(syncResponseSchema, JSON.parse(text));
    }, signal);
    if (!this.#signedInAt.has(answer.epoch)) this.#signedInAt.set(answer.epoch, answer.now);
    return answer;
  }

  events(conversWith: string, range: HistoryRange, signal?: AbortSignal): Promise<HistoryResponse> {
    return this.#ask(async () => {
      const answer = await this.server.engine.sync.events(actor(me), conversWith, range);
      return validate(historyResponseSchema, JSON.parse(answer));
    }, signal);
  }

  /** Somebody writes; what is delivered live waits for {@link deliver}. */
  async send(to: string, sender: string, isHidden: boolean): Promise<void> {
    const body = { text: "x", attributes: isHidden ? { hiddenFor: me } : {} };
    await this.server.send(sender, to, body);
    await settle();
  }

  async join(group: string): Promise<void> {
    if (this.server.isMember(me, group)) return;
    await this.server.engine.groups.addMember(actor("carol"), group, me).catch(() => undefined);
    await settle();
  }

  async erase(conversWith: string): Promise<void> {
    await this.server.engine.messages.erase(actor(me, true), conversWith).catch(() => undefined);
    await settle();
  }

  /** The next live event arrives, arrives twice, is overtaken by the one behind it, or never arrives. */
  deliver(fate: "once" | "twice" | "swapped" | "lost"): void {
    if (fate === "swapped" && this.#live.length > 1)
      this.#live.splice(0, 2, ...this.#live.slice(0, 2).reverse());
    const event = this.#live.shift();
    if (event === undefined || fate === "lost") return;
    this.#synchronizer.handleLive(event);
    if (fate === "twice") this.#synchronizer.handleLive(event);
  }

  /** The oldest open request is answered, as the server stood then or stands now, or fails. */
  async respond(how: "then" | "now" | "fail"): Promise<void> {
    const asked = this.#asked.shift();
    if (how === "fail") asked?.fail(new ChatError("store_unavailable"));
    else await asked?.answer(how);
    await settle();
  }

  async connect(): Promise<void> {
    if (this.#connection !== undefined) return;
    const connection = new AbortController();
    this.#connection = connection;
    this.#synchronizer.hold();
    this.#client = await this.server.edge.connect({
      clientId: "device",
      password: me,
      handleFrame: ({ topic, payload }) => this.#downlink(topic, utf8.encode(payload)),
    });
    this.#compare(connection.signal);
  }

  check(): void {
    if (this.#connection !== undefined) this.#compare(this.#connection.signal);
  }

  async disconnect(): Promise<void> {
    this.#client?.close();
    this.#live = [];
    this.#connection?.abort();
    this.#connection = undefined;
    this.#synchronizer.pause();
    await settle();
  }

  /** The client's process ends, and another one goes on with what was kept. */
  async restart(): Promise<void> {
    await this.disconnect();
    const kept = this.#synchronizer.snapshot();
    this.#synchronizer = this.#start();
    this.#isLoading = true;
    if (kept !== undefined) this.#synchronizer.load(JSON.parse(JSON.stringify(kept)));
    this.#isLoading = false;
  }
  #isLoading = false;

  async restore(share: number): Promise<void> {
    await this.#keepVisible();
    await this.server.restore(share);
    this.#live = [];
  }

  /** Everything that is under way arrives, and one more comparison finds what was lost at the end. */
  async quiesce(): Promise<void> {
    await this.connect();
    for (let round = 0; round < 2; round++) {
      for (let quiet = 0; quiet < 3; ) {
        const busy = this.#asked.length > 0 || this.#live.length > 0 || this.clock.pending > 0;
        while (this.#live.length > 0) this.deliver("once");
        while (this.#asked.length > 0) await this.respond("now");
        await this.clock.advance(1_000);
        quiet = busy ? 0 : quiet + 1;
      }
      if (round === 0) this.check();
      await settle();
    }
  }

  /** What is wrong with what the client was told, in words. */
  async faults(): Promise<string[]> {
    await this.#keepVisible();
    const faults = [...this.#segments].flatMap(([conversWith, segments]) =>
      segments.flatMap((segment, index) => {
        const visible = this.#visibleByEpoch.get(segment.epoch)?.get(conversWith) ?? [];
        const isLast = index === segments.length - 1 && segment.epoch === this.server.epoch;
        return faultsOf(conversWith, segment, visible, {
          isLast,
          signedInAt: this.#signedInAt.get(segment.epoch) ?? 0,
        });
      }),
    );
    const missing = [...(this.#visibleByEpoch.get(this.server.epoch) ?? [])].filter(
      ([conversWith, visible]) => visible.length > 0 && !this.#open.has(conversWith),
    );
    return [...this.#wrong, ...faults, ...missing.map(([id]) => `${id}: never heard of`)];
  }

  #start(): Synchronizer {
    return new Synchronizer({
      user: me,
      source: this,
      dispatch: (update) => this.#note(update),
      clock: this.clock,
      backoff: () => 100,
      handleError: (error) => this.errors.push(error),
      ...this.#options,
    });
  }

  #note(update: Update): void {
    if (update.type === "replaced") this.#open.clear();
    if (this.#isLoading || (update.type !== "advanced" && update.type !== "restarted")) return;
    const { conversWith, from, to } = update;
    const epoch = this.#synchronizer.epoch ?? "";
    const segments = this.#segments.get(conversWith) ?? [];
    this.#segments.set(conversWith, segments);
    if (update.type === "restarted") segments.push({ epoch, after: to, to, released: [] });
    else if (!this.#open.has(conversWith)) segments.push({ epoch, after: null, to: from - 1, released: [] });
    this.#open.add(conversWith);
    const segment = segments.at(-1);
    if (update.type !== "advanced" || segment === undefined) return;
    if (from !== segment.to + 1) this.#wrong.push(`${conversWith}: ${segment.to} is followed by ${from}`);
    segment.to = to;
    segment.released.push(...update.events);
  }

  #compare(signal: AbortSignal): void {
    const run = async () => {
      while (!signal.aborted) {
        const failed = await this.#synchronizer.catchUp(signal).then(
          () => false,
          () => true,
        );
        if (!failed) return;
      }
    };
    void run();
  }

  #ask<Value>(read: () => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    const then = read().then(
      (value) => () => value,
      (error) => () => {
        throw error;
      },
    );
    if (signal?.aborted) return Promise.reject(new ChatError("connection_lost"));
    return new Promise((resolve, reject) => {
      const asked: Asked = {
        answer: async (when) => {
          try {
            resolve(when === "then" ? (await then)() : await read());
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

  async #keepVisible(): Promise<void> {
    const visible = new Map<string, Visible>();
    for (const conversation of this.server.conversationsOf(me)) {
      visible.set(conversWithOf(conversation, me), await this.server.visible(me, conversation));
    }
    this.#visibleByEpoch.set(this.server.epoch, visible);
  }
}

function faultsOf(
  conversWith: string,
  segment: Segment,
  visible: Visible,
  { isLast, signedInAt }: { readonly isLast: boolean; readonly signedInAt: number },
): string[] {
  const { after, released } = segment;
  const numbers = released.map(({ event }) => event.seq);
  const joins = visible.filter(
    ({ type, body }) => type === "member_added" && JSON.parse(body).member_id === me,
  );
  const joinedAt = looksLikeGroupId(conversWith) ? (joins.at(-1)?.seq ?? 0) : 0;
  // Of the history before one's own joining, and before the first sign-in, a client may hold as little as it likes.
  const [first] = released;
  const isOld = first !== undefined && (first.event.seq <= joinedAt || first.event.timestamp <= signedInAt);
  const from = after ?? (isOld ? first.event.seq - 1 : 0);
  const last = isLast ? Number.POSITIVE_INFINITY : (numbers.at(-1) ?? 0);
  const expected = visible.filter(({ seq }) => seq > from && seq <= last).map(({ seq }) => seq);
  const faults: string[] = [];
  if (numbers.join() !== expected.join()) faults.push(`${conversWith}: expected ${expected}, got ${numbers}`);
  for (const { event, fresh } of released) {
    const isHistory = event.seq < joinedAt;
    const mayBeEither = event.timestamp <= signedInAt && !isHistory;
    if (fresh === isHistory && !mayBeEither)
      faults.push(`${conversWith}: ${event.seq} is ${fresh ? "" : "not "}announced`);
  }
  return faults;
}

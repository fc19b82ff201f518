import type { ConversationEvent, ConversationState } from "@chat21/protocol";
import { conversationSchema, looksLikeGroupId, messageSchema } from "@chat21/protocol";
import type { ConversationSummary, Watermarks } from "./conversation.ts";
import type { ChatMessage } from "./message.ts";
import { isListed, projectMessage, withWatermarks } from "./project-message.ts";

const nothing: Watermarks = { delivered: 0, read: 0 };

/** What a model cannot know by itself. */
export interface ModelContext {
  readonly user: string;
  readonly conversWith: string;
  /** Numbers from here on up to the last one are held. */
  readonly floor: () => number;
  readonly head: () => number;
  readonly groupName: () => string | undefined;
}

/**
 * What this client knows of one conversation: its messages and the facts a list shows. Bookkeeping only: it changes
 * when it is told to, and tells nobody.
 */
export class ConversationModel {
  /** Numbered messages, ascending. */
  held: ChatMessage[] = [];
  kind: ConversationSummary["kind"];
  archived = false;
  markedUnread = false;
  /** The flags were changed after the server was asked for the state that comes next. */
  keepFlags = false;
  own: Watermarks = nothing;
  readonly #context: ModelContext;
  #counterpart: Watermarks | null;
  #last: ChatMessage | null = null;
  #unread = 0;
  /** Older messages that the app has asked for. */
  #loaded = 0;
  #name: string | undefined;
  #groupName: string | undefined;

  constructor(context: ModelContext) {
    this.#context = context;
    this.kind = looksLikeGroupId(context.conversWith) ? "group" : "direct";
    this.#counterpart = this.kind === "direct" ? nothing : null;
  }

  get summary(): ConversationSummary {
    const { conversWith, head, groupName } = this.#context;
    return {
      conversWith,
      kind: this.kind,
      title: groupName() ?? this.#groupName ?? this.#name ?? conversWith,
      lastMessage: this.#last,
      timestamp: this.#last?.timestamp ?? 0,
      unread: this.#unread,
      markedUnread: this.markedUnread,
      archived: this.archived,
      head: head(),
      own: this.own,
      counterpart: this.#counterpart,
    };
  }

  /** Takes in the next message. */
  append(event: ConversationEvent): ChatMessage | null {
    const message = this.project(event);
    if (message === null) {
      this.#learn(event);
      return null;
    }
    this.held.push(message);
    if (!message.own && event.seq > this.own.read) this.#unread += 1;
    this.#learnName(message);
    if (isListed(message)) {
      this.#last = message;
      this.archived = false;
    }
    return message;
  }

  /** Puts older messages in front. */
  prepend(events: readonly ConversationEvent[]): readonly ChatMessage[] {
    const oldest = this.held[0]?.seq ?? Number.POSITIVE_INFINITY;
    const older = events.filter(({ seq }) => seq < oldest).flatMap((event) => this.project(event) ?? []);
    this.held = [...older, ...this.held];
    this.#loaded += older.length;
    return older;
  }

  /** Forgets everything for these messages. */
  restart(events: readonly ConversationEvent[]): void {
    this.held = events.flatMap((event) => this.project(event) ?? []);
    this.#last = this.held.findLast(isListed) ?? null;
    this.#loaded = 0;
    this.own = nothing;
    this.#counterpart = this.kind === "direct" ? nothing : null;
    this.markedUnread = false;
    this.#unread = 0;
    for (const event of events) this.#learn(event);
    for (const message of this.held) this.#learnName(message);
  }

  /** Takes over what the server says. Live events that it does not know of yet stay counted. */
  setState(state: ConversationState): void {
    this.kind = state.kind;
    if (state.kind !== "direct") this.#counterpart = null;
    this.own = furthest(this.own, state);
    if (state.counterpart !== undefined) this.setCounterpart(state.counterpart);
    this.#setDocument(state);
    const newer = this.#unreadHeld(Math.max(state.head, this.own.read));
    this.#unread = this.#exactUnread() ?? (this.own.read > state.read ? newer : state.unread + newer);
  }

  #setDocument(state: ConversationState): void {
    const document = conversationSchema.safeParse(state.conversation);
    const last = messageSchema.safeParse(state.conversation);
    if (!last.success || !document.success) {
      if (state.head >= (this.#last?.seq ?? 0)) this.#last = null;
      return;
    }
    const seq = last.data.seq ?? 0;
    if (seq < (this.#last?.seq ?? 0)) return;
    this.#last = this.held.findLast((message) => message.seq === seq) ?? this.#projectWire(last.data);
    this.#learnName(this.#last);
    if (this.keepFlags) return;
    this.archived = state.archived;
    this.markedUnread = document.data.is_new && this.own.read >= seq;
  }

  /** The user, here or on another device, changed these. */
  setFlags({
    archived = this.archived,
    markedUnread = this.markedUnread,
  }: Partial<Pick<ConversationSummary, "archived" | "markedUnread">>): void {
    this.archived = archived;
    this.markedUnread = markedUnread;
    this.keepFlags = true;
  }

  /** The user's own watermarks moved. */
  setOwn(watermarks: Watermarks): void {
    this.own = furthest(this.own, watermarks);
    const caughtUp = this.own.read >= this.#context.head() ? 0 : this.#unread;
    this.#unread = this.#exactUnread() ?? caughtUp;
  }

  /** Moves the counterpart's watermarks forward; answers the messages that changed by it. */
  setCounterpart(watermarks: Watermarks): readonly ChatMessage[] {
    if (this.#counterpart === null) return [];
    this.#counterpart = furthest(this.#counterpart, watermarks);
    const changed: ChatMessage[] = [];
    this.held = this.held.map((message) => {
      const now = withWatermarks(message, this.#counterpart);
      if (now !== message) changed.push(now);
      return now;
    });
    if (this.#last !== null) this.#last = withWatermarks(this.#last, this.#counterpart);
    return changed;
  }

  get counterpart(): Watermarks | null {
    return this.#counterpart;
  }

  /**
   * Drops the oldest messages over `mostUnasked`, not counting those that were asked for; answers the number from which on
   * everything is still held, or `null` when nothing was dropped.
   */
  trim(mostUnasked: number): number | null {
    const most = mostUnasked + this.#loaded;
    if (this.held.length <= most) return null;
    this.held = this.held.slice(-most);
    return this.held[0]?.seq ?? null;
  }

  /** How a message of the log looks here; `null` for any other event. */
  project(event: ConversationEvent): ChatMessage | null {
    if (event.message === undefined) return null;
    return this.#projectWire({ ...event.message, seq: event.seq });
  }

  #projectWire(wire: NonNullable<ConversationEvent["message"]>): ChatMessage {
    const { user, conversWith } = this.#context;
    return projectMessage(wire, { user, conversWith, counterpart: this.#counterpart });
  }

  /** What the log itself says of a group. */
  #learn({ type, data }: ConversationEvent): void {
    const name = data?.["name"];
    if (type.startsWith("group_") && typeof name === "string") this.#groupName = name;
  }

  /** What others write into their messages; not verified, but all there is for a person. */
  #learnName({ own, wire }: ChatMessage): void {
    const isGroup = this.kind !== "direct";
    const name = own || isGroup ? wire?.recipient_fullname : wire?.sender_fullname;
    if (!name || name === this.#context.conversWith) return;
    if (own) this.#name ??= name;
    else this.#name = name;
  }

  #unreadHeld(after: number): number {
    return this.held.filter(({ own, seq }) => !own && (seq ?? 0) > after).length;
  }

  /** Counted, where everything beyond the read watermark is held. */
  #exactUnread(): number | null {
    return this.#context.floor() <= this.own.read + 1 ? this.#unreadHeld(this.own.read) : null;
  }
}

function furthest(a: Watermarks, b: Watermarks): Watermarks {
  const [delivered, read] = [Math.max(a.delivered, b.delivered), Math.max(a.read, b.read)];
  return delivered === a.delivered && read === a.read ? a : { delivered: Math.max(delivered, read), read };
}

import type { ConversationEvent, ConversationState, Range } from "@chat21/protocol";
import { conversationSchema, looksLikeGroupId, messageSchema } from "@chat21/protocol";
import type { ConversationSummary, Watermarks } from "../api/conversation.ts";
import type { ChatMessage } from "../api/message.ts";
import { rangeEnd } from "../sync/ranges.ts";
import type { HeldConversation, Reducer } from "./kinds/reducer.ts";
import { projectEvent, projectMessage, textOf, type Viewpoint, withWatermarks } from "./project-message.ts";
import type { Stretch, Update } from "./update.ts";
import { capUnread, countUnread, furthest, isListed, isUnread, lastListed } from "./view.ts";

/**
 * Messages that are held of a conversation which the app shows and its user has not read to the end: who reads there may be
 * anywhere in it, and must not lose the rows in view because new ones come.
 */
const mostWhileRead = 10_000;
const nothing: Watermarks = { delivered: 0, read: 0 };

/** Settings of a {@link ConversationModel}. */
export interface ModelContext {
  readonly user: string;
  readonly conversWith: string;
  readonly reducers: ReadonlyMap<string, Reducer>;
}

/** The changes of a conversation by an event. */
export interface Applied {
  readonly added: ChatMessage | null;
  /** Messages that were held before and have changed. */
  readonly amended: readonly ChatMessage[];
}

/**
 * This client's knowledge of one conversation: its messages and the facts of its list entry. Bookkeeping only: it
 * changes when it is told to, and tells no listener.
 */
export class ConversationModel implements HeldConversation {
  /** Numbered messages, ascending: all of `floor`-`position` that this user may see. */
  held: ChatMessage[] = [];
  /** The outbox's messages for this conversation by their client ids, in send order. */
  readonly pending = new Map<string, ChatMessage>();
  typing: readonly string[] = [];
  groupName: string | undefined;
  kind: ConversationSummary["kind"];
  archived = false;
  markedUnread = false;
  /** The flags were changed after the server was asked for the next state: which of the two is newer is not known. */
  areFlagsNewer = false;
  /** The last message or the unread count depends on messages that are not held: only the server can tell. */
  isStale = false;
  own: Watermarks = nothing;
  counterpart: Watermarks | null;
  /** The app listens to this conversation: probably it shows it. */
  isWatched = false;
  /** Number of changes to held messages. */
  amendments = 0;
  readonly #context: ModelContext;
  #floor = 1;
  #position = 0;
  #head = 0;
  /** No message up to here takes the conversation out of the archive: it was archived later. */
  #archivedAt = 0;
  #last: ChatMessage | null = null;
  #summary: ConversationSummary | undefined;
  #unread = 0;
  /** Messages up to here are counted, by the server, whether they are here or still on their way. */
  #countedUpTo = 0;
  /** Number of older messages that the app has asked for. */
  #loaded = 0;
  #name: string | undefined;
  #loggedName: string | undefined;
  /** For each amended message: the number of the log up to which its changes are known. */
  #versions = new Map<number, number>();
  #applied: { added: ChatMessage | null; amended: ChatMessage[] } = { added: null, amended: [] };

  constructor(context: ModelContext) {
    this.#context = context;
    this.kind = looksLikeGroupId(context.conversWith) ? "group" : "direct";
    this.counterpart = this.kind === "direct" ? nothing : null;
  }

  /** Numbers from here on are held; earlier messages can be loaded. */
  get floor(): number {
    return this.#floor;
  }

  /** Everything up to here was handed on. */
  get position(): number {
    return this.#position;
  }

  /** The conversation as a list shows it; the same object as long as nothing changes. */
  get summary(): ConversationSummary {
    const { conversWith } = this.#context;
    const now: ConversationSummary = {
      conversWith,
      kind: this.kind,
      title: this.groupName ?? this.#loggedName ?? this.#name ?? conversWith,
      lastMessage: this.#last,
      timestamp: this.#last?.timestamp ?? 0,
      unread: this.#unread,
      markedUnread: this.markedUnread,
      archived: this.archived,
      head: this.#head,
      own: this.own,
      counterpart: this.counterpart,
    };
    if (this.#summary === undefined || !isSame(this.#summary, now)) this.#summary = now;
    return this.#summary;
  }

  /** Moves on to the next numbers, `from`-`to`; {@link apply} their events. */
  advance({ from, to }: Pick<Stretch, "from" | "to">): void {
    this.#span(from === this.#position + 1 ? this.#floor : from, to);
  }

  /** Takes the next event in. */
  apply(event: ConversationEvent): Applied {
    const applied = { added: null, amended: [] };
    this.#applied = applied;
    this.#context.reducers.get(event.type)?.(this, event);
    return applied;
  }

  /** Forgets everything, and begins with a stretch; {@link apply} its events. */
  restart({ from, to, head }: Pick<Stretch, "from" | "to"> & { readonly head: number }): void {
    this.held = [];
    this.#versions.clear();
    this.#last = null;
    this.#loaded = 0;
    this.counterpart = this.kind === "direct" ? nothing : null;
    this.archived = false;
    this.#archivedAt = 0;
    this.markedUnread = false;
    this.#unread = 0;
    this.#countedUpTo = 0;
    this.#head = 0;
    this.#span(from, to, head);
  }

  /** Puts older messages in front; answers them. No effect when they do not reach the held messages. */
  extend({ from, to, events }: Stretch, asked: boolean): readonly ChatMessage[] {
    const floor = this.#floor;
    if (from >= floor || to < floor - 1) return [];
    const older = events.filter(({ seq }) => seq < floor).flatMap((event) => this.#project(event) ?? []);
    this.held = [...older, ...this.held];
    if (asked) this.#loaded += older.length;
    this.#span(from, this.#position);
    // The text of a message in a list is cut.
    this.#last = older.find(({ seq }) => seq === this.#last?.seq) ?? this.#last;
    this.#recount();
    return older;
  }

  /** Takes the server's state over. Live events that are unknown to the server yet stay counted. */
  setState(state: ConversationState): void {
    this.kind = state.kind;
    if (state.kind !== "direct") this.counterpart = null;
    this.#head = Math.max(this.#head, state.head);
    this.own = furthest(this.own, state);
    if (state.counterpart !== undefined) this.setCounterpart(state.counterpart);
    this.isStale = false;
    this.#setDocument(state);
    const newer = countUnread(this.held, Math.max(state.head, this.own.read), this.#context.user);
    // What was read here meanwhile is not known to the server yet: there are no more than this.
    const most = this.own.read > state.read ? Math.max(0, state.head - this.own.read) : state.unread;
    this.#unread = capUnread(Math.min(state.unread, most) + newer);
    this.#countedUpTo = state.head;
    this.#recount();
  }

  #setDocument(state: ConversationState): void {
    const document = conversationSchema.safeParse(state.conversation);
    const last = messageSchema.safeParse(state.conversation);
    const known = this.#last !== null && !this.#last.deleted ? (this.#last.seq ?? 0) : 0;
    if (!last.success || !document.success) {
      if (state.head >= known) this.#last = null;
      return;
    }
    const seq = last.data.seq ?? 0;
    if (seq < known) return;
    const held = this.held.find((message) => message.seq === seq);
    this.#last = held ?? projectMessage(last.data, this.viewpoint);
    if (held === undefined) this.#versions.set(seq, state.head);
    this.#learnName(this.#last);
    const markedUnread = document.data.is_new && state.read >= seq;
    const isOther = state.archived !== this.archived || markedUnread !== this.markedUnread;
    // The state is taken, and the server is asked once more: it answers what came after this state.
    if (this.areFlagsNewer && isOther) this.isStale = true;
    this.markedUnread = markedUnread;
    // Only a later message takes a conversation out of the archive.
    if (this.areFlagsNewer && this.archived && seq <= this.#archivedAt) return;
    this.archived = state.archived;
    this.#archivedAt = state.head;
  }

  /** Sets flags that the user, here or on another device, has changed. */
  setFlags({
    archived,
    archivedAt = this.#head,
    markedUnread = this.markedUnread,
  }: Omit<Extract<Update, { type: "flagged" }>, "conversWith" | "type">): void {
    if (archived !== undefined) {
      this.archived = archived;
      this.#archivedAt = archivedAt;
    }
    this.markedUnread = markedUnread;
    this.areFlagsNewer = true;
  }

  /** Forgets the user's own watermarks, which otherwise only move forward: they are numbers of another history. */
  forgetOwn(): void {
    this.own = nothing;
  }

  /** Moves the user's own watermarks. */
  setOwn(watermarks: Watermarks): void {
    this.own = furthest(this.own, watermarks);
    if (this.own.read >= this.#head) this.#unread = 0;
    // Some messages that are not held were read.
    else if (watermarks.read > 0 && !this.#isCountable) this.isStale = true;
    this.#recount();
  }

  /** Moves the counterpart's watermarks forward; answers the changed messages. */
  setCounterpart(watermarks: Watermarks): readonly ChatMessage[] {
    if (this.counterpart === null) return [];
    const counterpart = furthest(this.counterpart, watermarks);
    if (counterpart === this.counterpart) return [];
    this.counterpart = counterpart;
    return this.#change((message) => withWatermarks(message, counterpart));
  }

  /**
   * Drops the oldest messages over `mostUnasked`, without counting messages that the app has asked for; over
   * {@link mostWhileRead} while they are being read.
   */
  trim(mostUnasked: number): void {
    const least = this.isWatched && this.#unread > 0 ? mostWhileRead : 0;
    const most = Math.max(mostUnasked + this.#loaded, least);
    if (this.held.length <= most) return;
    this.held = this.held.slice(-most);
    this.#span(this.held[0]?.seq ?? this.#floor, this.#position);
  }

  append(event: ConversationEvent): void {
    const message = this.#settled(event) ?? this.#project(event);
    if (message === null) return;
    this.#applied.added = message;
    this.held.push(message);
    this.#learnName(message);
    if (event.seq > Math.max(this.own.read, this.#countedUpTo) && isUnread(message, this.#context.user)) {
      this.#unread = capUnread(this.#unread + 1);
    }
    if (!isListed(message)) return;
    this.#last = message;
    if (event.seq > this.#archivedAt) this.archived = false;
  }

  amend(
    { seq: version }: ConversationEvent,
    ranges: readonly Range[],
    change: (message: ChatMessage) => ChatMessage,
  ): void {
    this.amendments += 1;
    const amended = this.#change((message) => {
      const { seq } = message;
      if (seq === null || rangeEnd(ranges, seq) === null || (this.#versions.get(seq) ?? 0) >= version)
        return message;
      this.#versions.set(seq, version);
      return change(message);
    });
    this.#applied.amended.push(...amended);
    if (this.#last !== null && !isListed(this.#last)) {
      const last = lastListed(this.held);
      // The list keeps its place until the server tells the last message.
      if (last !== null || this.#floor === 1) this.#last = last;
      else this.isStale = true;
    }
    if (!this.#isCountable) this.isStale = true;
    this.#recount();
  }

  setGroupName(name: string): void {
    this.#loggedName = name;
  }

  /** The point of view for messages of this conversation. */
  get viewpoint(): Viewpoint {
    const { user, conversWith } = this.#context;
    return { user, conversWith, counterpart: this.counterpart };
  }

  /** Changes held messages; answers those that became other ones. */
  #change(change: (message: ChatMessage) => ChatMessage): ChatMessage[] {
    const last = this.#last;
    const changed: ChatMessage[] = [];
    let isLastHeld = false;
    this.held = this.held.map((message) => {
      const now = change(message);
      if (now !== message) changed.push(now);
      if (message === last) {
        isLastHeld = true;
        this.#last = now;
      }
      return now;
    });
    if (last !== null && !isLastHeld) this.#last = change(last);
    return changed;
  }

  #project(event: ConversationEvent): ChatMessage | null {
    if (event.overlay !== undefined) this.#versions.set(event.seq, event.overlay.version);
    return projectEvent(event, this.viewpoint);
  }

  /** The sent message of the outbox, when the event is its copy. It is already shown. */
  #settled({ message }: ConversationEvent): ChatMessage | null {
    const sent = this.pending.get(message?.client_message_id ?? "");
    const isThis = sent !== undefined && sent.messageId === message?.message_id;
    return isThis ? withWatermarks(sent, this.counterpart) : null;
  }

  /** Learns the name that messages give: not verified, but a person has no other name here. */
  #learnName({ own, wire }: ChatMessage): void {
    const isGroup = this.kind !== "direct";
    const name = textOf(own || isGroup ? wire?.recipient_fullname : wire?.sender_fullname);
    if (!name || name === this.#context.conversWith) return;
    if (own) this.#name ??= name;
    else this.#name = name;
  }

  /** Whether everything beyond the read watermark is held: from there on, and up to the newest. */
  get #isCountable(): boolean {
    return this.#floor <= this.own.read + 1 && this.#position >= this.#head;
  }

  #recount(): void {
    if (!this.#isCountable) return;
    this.#unread = capUnread(countUnread(this.held, this.own.read, this.#context.user));
  }

  #span(floor: number, position: number, head = position): void {
    this.#floor = floor;
    this.#position = position;
    this.#head = Math.max(this.#head, head);
  }
}

function isSame(a: ConversationSummary, b: ConversationSummary): boolean {
  return (Object.keys(b) as (keyof ConversationSummary)[]).every((key) => a[key] === b[key]);
}

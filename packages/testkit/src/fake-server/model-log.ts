import type {
  ConversationEvent,
  ConversationState,
  HistoryResponse,
  Message,
  SyncItem,
  SyncRequest,
  SyncResponse,
} from "@chat21/protocol";
import { conversationIdOf, conversWithOf, directMembers, messageStatus } from "@chat21/protocol";

/** One entry of a model's log. */
export interface ModelEvent {
  readonly conversation: string;
  readonly seq: number;
  readonly type: string;
  readonly sender: string;
  readonly messageId: string;
  readonly clientMessageId: string | null;
  readonly timestamp: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Users who never see it. */
  readonly hiddenFor: readonly string[];
}

/** A page of a log; bounds exclusive. */
export interface ModelPage {
  readonly after?: number;
  readonly before?: number;
  readonly limit: number;
}

/** What to append. */
export interface ModelAppend {
  readonly conversation: string;
  readonly sender: string;
  readonly type?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly hiddenFor?: readonly string[];
}

interface ModelConversation {
  readonly events: ModelEvent[];
  /** First number that each member sees. */
  readonly members: Map<string, number>;
  readonly watermarks: Map<string, { delivered: number; read: number }>;
  readonly archivedAt: Map<string, number>;
}

/**
 * What a server that keeps every promise would hold and answer, in some hundred lines: the measure against which clients
 * are tested. Pure: no clock but its own, which ticks with every event.
 */
export class ModelLog {
  readonly app: string;
  epoch = "epoch-1";
  now = 1_000_000;
  readonly #conversations = new Map<string, ModelConversation>();
  #epochs = 1;

  constructor(app = "tilechat") {
    this.app = app;
  }

  /** Appends to a conversation; the members of a direct one come by themselves. */
  append({ conversation, sender, type = "message", body = {}, hiddenFor = [] }: ModelAppend): ModelEvent {
    const { events } = this.#of(conversation);
    const seq = events.length + 1;
    this.now += 1_000;
    const clientMessageId = typeof body["client_message_id"] === "string" ? body["client_message_id"] : null;
    const messageId = `${this.epoch}:${conversation}:${seq}`;
    const event = {
      conversation,
      seq,
      type,
      sender,
      messageId,
      clientMessageId,
      timestamp: this.now,
      body,
      hiddenFor,
    };
    events.push(event);
    return event;
  }

  /** A message of `sender` to a user or a group; the same client id again answers with the first. */
  send(sender: string, recipient: string, body: Readonly<Record<string, unknown>>): ModelEvent {
    const id = body["client_message_id"];
    return (
      this.find(sender, id) ??
      this.append({ conversation: conversationIdOf(sender, recipient), sender, body })
    );
  }

  find(sender: string, clientMessageId: unknown): ModelEvent | undefined {
    if (typeof clientMessageId !== "string") return undefined;
    return [...this.#conversations.values()]
      .flatMap(({ events }) => events)
      .find((event) => event.sender === sender && event.clientMessageId === clientMessageId);
  }

  /** Makes a group, or adds members who see from `from` on. */
  join(group: string, users: readonly string[], from = 1): void {
    for (const user of users) this.#of(group).members.set(user, from);
  }

  /** Everything that `user` may see, ascending. */
  visible(user: string, conversWith: string): readonly ModelEvent[] {
    const conversation = this.#conversations.get(conversationIdOf(user, conversWith));
    if (conversation === undefined) return [];
    const from = conversation.members.get(user) ?? Number.POSITIVE_INFINITY;
    return conversation.events.filter(({ seq, hiddenFor }) => seq >= from && !hiddenFor.includes(user));
  }

  membersOf(conversation: string): readonly string[] {
    return [...(this.#conversations.get(conversation)?.members.keys() ?? [])];
  }

  /** Moves `user`'s watermarks forward. */
  mark(
    user: string,
    conversWith: string,
    mark: { delivered?: number | undefined; read?: number | undefined },
  ) {
    const { watermarks } = this.#of(conversationIdOf(user, conversWith));
    const known = watermarks.get(user) ?? { delivered: 0, read: 0 };
    const read = Math.max(known.read, mark.read ?? 0);
    const moved = { delivered: Math.max(known.delivered, mark.delivered ?? 0, read), read };
    watermarks.set(user, moved);
    return moved;
  }

  archive(user: string, conversWith: string): void {
    const conversation = this.#of(conversationIdOf(user, conversWith));
    conversation.archivedAt.set(user, conversation.events.length);
  }

  /** As after a restore from a backup: another epoch, and of every conversation only the first `share` of its log. */
  restore(share: number): void {
    this.#epochs += 1;
    this.epoch = `epoch-${this.#epochs}`;
    for (const [id, { events }] of this.#conversations) {
      events.length = Math.floor(events.length * share);
      if (events.length === 0) this.#conversations.delete(id);
    }
  }

  /** The event as it goes to `user`: S1, `…/event`, history and sync. */
  eventFor(user: string, event: ModelEvent): ConversationEvent {
    const { conversation, seq, type, sender, timestamp } = event;
    const head = {
      type,
      conversWith: conversWithOf(conversation, user),
      seq,
      epoch: this.epoch,
      timestamp,
      sender,
    };
    return type === "message"
      ? { ...head, message: this.#messageFor(user, event) }
      : { ...head, data: { ...event.body } };
  }

  sync(user: string, request: SyncRequest): SyncResponse {
    const mine = [...this.#conversations].filter(([, { members }]) => members.has(user));
    const conversations = mine.map(([id]) => this.#syncItem(user, conversWithOf(id, user), request));
    return { epoch: this.epoch, now: this.now, conversations };
  }

  /** `null` for strangers. */
  history(
    user: string,
    conversWith: string,
    { after = 0, before, limit }: ModelPage,
  ): HistoryResponse | null {
    const conversation = this.#conversations.get(conversationIdOf(user, conversWith));
    if (conversation?.members.has(user) !== true) return null;
    const head = conversation.events.length;
    const end = Math.min(before ?? head + 1, head + 1);
    const found = this.visible(user, conversWith).filter(({ seq }) => seq > after && seq < end);
    const oldestFirst = after > 0 && before === undefined;
    const events = oldestFirst ? found.slice(0, limit) : found.slice(-limit);
    const complete = events.length === found.length;
    const from = complete || oldestFirst ? after + 1 : (events[0]?.seq ?? after + 1);
    const to = complete || !oldestFirst ? end - 1 : (events.at(-1)?.seq ?? end - 1);
    return {
      epoch: this.epoch,
      head,
      covered: from > to ? [] : [[from, to]],
      events: events.map((event) => this.eventFor(user, event)),
    };
  }

  #syncItem(user: string, conversWith: string, { epoch, positions, limit = 200 }: SyncRequest): SyncItem {
    const state = this.#stateOf(user, conversWith);
    const position = epoch === undefined || epoch === this.epoch ? positions[conversWith] : undefined;
    const visible = this.visible(user, conversWith);
    const there = visible.find(({ seq }) => seq === position?.seq);
    const isSame =
      position?.message_id === undefined || there === undefined || there.messageId === position.message_id;
    if (
      position !== undefined &&
      position.seq <= state.head &&
      isSame &&
      state.head - position.seq <= limit
    ) {
      if (position.seq === state.head) return { result: "same", state };
      const events = visible
        .filter(({ seq }) => seq > position.seq)
        .map((event) => this.eventFor(user, event));
      return { result: "delta", state, covered: [[position.seq + 1, state.head]], events };
    }
    const newest = visible.slice(-limit);
    const first = newest.length < limit ? 1 : (newest[0]?.seq ?? 1);
    const events = newest.map((event) => this.eventFor(user, event));
    return { result: "reset", state, covered: [[first, state.head]], events };
  }

  #stateOf(user: string, conversWith: string): ConversationState {
    const id = conversationIdOf(user, conversWith);
    const { watermarks, archivedAt, events } = this.#of(id);
    const { delivered, read } = watermarks.get(user) ?? { delivered: 0, read: 0 };
    const visible = this.visible(user, conversWith);
    const messages = visible.filter(({ type }) => type === "message");
    const last = messages.at(-1);
    const archived = (archivedAt.get(user) ?? 0) >= (last?.seq ?? 1);
    const pair = directMembers(id);
    const unread = messages.filter(({ seq, sender }) => seq > read && sender !== user).length;
    return {
      conversWith,
      kind: pair === null ? "group" : "direct",
      head: events.length,
      unread,
      delivered,
      read,
      archived,
      ...(pair === null ? {} : { counterpart: watermarks.get(conversWith) ?? { delivered: 0, read: 0 } }),
      ...(last === undefined
        ? {}
        : {
            conversation: {
              ...this.#messageFor(user, last),
              timelineOf: user,
              conversWith,
              key: conversWith,
              is_new: read < last.seq,
              archived,
              last_message_text: String(last.body["text"] ?? ""),
            },
          }),
    };
  }

  #messageFor(user: string, event: ModelEvent): Message {
    const pair = directMembers(event.conversation);
    const own = event.sender === user;
    return {
      ...event.body,
      message_id: event.messageId,
      sender: event.sender,
      recipient: pair === null ? event.conversation : pair[0] === event.sender ? pair[1] : pair[0],
      app_id: this.app,
      timestamp: event.timestamp,
      status: pair !== null && own ? messageStatus.sent : messageStatus.delivered,
      seq: event.seq,
      epoch: this.epoch,
    };
  }

  #of(id: string): ModelConversation {
    const existing = this.#conversations.get(id);
    if (existing !== undefined) return existing;
    const members = new Map((directMembers(id) ?? []).map((user) => [user, 1] as const));
    const created = { events: [], members, watermarks: new Map(), archivedAt: new Map() };
    this.#conversations.set(id, created);
    return created;
  }
}

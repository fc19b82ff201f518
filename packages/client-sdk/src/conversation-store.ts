import type { ChatError, ConversationEvent, ConversationState } from "@chat21/protocol";
import type { ConversationSummary, Conversations, Watermarks } from "./conversation.ts";
import type { ConversationActions } from "./conversation-handle.ts";
import { ConversationHandle } from "./conversation-handle.ts";
import { ConversationModel } from "./conversation-model.ts";
import type { Emitter } from "./emitter.ts";
import { Notifier } from "./emitter.ts";
import type { ChatEvents } from "./events.ts";
import type { ChatMessage } from "./message.ts";
import type { ReleasedEvent, SyncSink } from "./sync-ports.ts";
import type { Timeline } from "./timeline.ts";
import type { Unsubscribe } from "./unsubscribe.ts";

/** What the store of conversations needs. */
export interface ConversationStoreOptions {
  readonly user: string;
  readonly emitter: Emitter<ChatEvents>;
  readonly actions: ConversationActions;
  readonly heldMessages: number;
  readonly reportDelivery: boolean;
  timeline(conversWith: string): Timeline | undefined;
  pending(conversWith: string): readonly ChatMessage[];
  typing(conversWith: string): readonly string[];
  groupName(conversWith: string): string | undefined;
  /** One's own message came back. */
  handleOwnCopy(message: ChatMessage, held: boolean): void;
  handleMessageFrom(conversWith: string, sender: string): void;
  /** Positions moved. */
  handleMove(): void;
  markDelivered(conversWith: string, seq: number): void;
  report(thrown: unknown): void;
}

/** All conversations of this client, fed by the synchronizer and by what the inbox tells. */
export class ConversationStore implements Conversations, SyncSink {
  readonly #options: ConversationStoreOptions;
  readonly #handles = new Map<string, ConversationHandle>();
  readonly #notifier: Notifier;
  readonly #changed = new Set<string>();
  /** As the `conversation` event last told it. */
  readonly #announced = new Map<string, ConversationSummary>();
  #lists:
    | { readonly active: readonly ConversationSummary[]; readonly archived: readonly ConversationSummary[] }
    | undefined;

  constructor(options: ConversationStoreOptions) {
    this.#options = options;
    this.#notifier = new Notifier(options.report);
  }

  handle(conversWith: string): ConversationHandle {
    const existing = this.#handles.get(conversWith);
    if (existing !== undefined) return existing;
    const { user, actions, timeline, pending, typing, groupName, report } = this.#options;
    const floor = () => timeline(conversWith)?.floor ?? 1;
    const head = () => timeline(conversWith)?.head ?? 0;
    const handle = new ConversationHandle({
      conversWith,
      actions,
      floor,
      report,
      model: new ConversationModel({
        user,
        conversWith,
        floor,
        head,
        groupName: () => groupName(conversWith),
      }),
      pending: () => pending(conversWith),
      typing: () => typing(conversWith),
    });
    this.#handles.set(conversWith, handle);
    return handle;
  }

  list({ archived = false }: { readonly archived?: boolean } = {}): readonly ConversationSummary[] {
    if (this.#lists === undefined) {
      const summaries = [...this.#handles.values()].map(({ summary }) => summary).filter(isListed);
      summaries.sort((a, b) => b.timestamp - a.timestamp);
      this.#lists = {
        active: summaries.filter((summary) => !summary.archived),
        archived: summaries.filter((summary) => summary.archived),
      };
    }
    return archived ? this.#lists.archived : this.#lists.active;
  }

  get(conversWith: string): ConversationSummary | undefined {
    const summary = this.#handles.get(conversWith)?.summary;
    return summary !== undefined && isListed(summary) ? summary : undefined;
  }

  get unread(): number {
    return this.list().reduce((sum, { unread }) => sum + unread, 0);
  }

  readonly subscribe = (listener: () => void): Unsubscribe => this.#notifier.subscribe(listener);

  archive(conversWith: string): Promise<void> {
    return this.#options.actions.archive(conversWith);
  }

  markRead(conversWith: string, seq?: number): void {
    this.#options.actions.markRead(conversWith, seq);
  }

  markUnread(conversWith: string): Promise<void> {
    return this.#options.actions.markUnread(conversWith);
  }

  handleComparison(): void {
    for (const { model } of this.#handles.values()) model.keepFlags = false;
  }

  handleArrival(event: ConversationEvent): void {
    if (event.message?.client_message_id == null || event.sender !== this.#options.user) return;
    const message = this.handle(event.conversWith).model.project(event);
    if (message !== null) this.#options.handleOwnCopy(message, this.#isReleased(event));
  }

  handleReleased(conversWith: string, events: readonly ReleasedEvent[], origin: "live" | "sync"): void {
    const { emitter, heldMessages, timeline, handleOwnCopy, handleMessageFrom, handleMove } = this.#options;
    const handle = this.handle(conversWith);
    for (const { event, fresh } of events) {
      const message = handle.model.append(event);
      this.touch(conversWith);
      if (message?.own) handleOwnCopy(message, true);
      if (message !== null) handleMessageFrom(conversWith, message.sender);
      if (!fresh) continue;
      if (message !== null) emitter.emit("message", { conversWith, message, origin });
      else emitter.emit("event", event);
    }
    const floor = handle.model.trim(heldMessages);
    const line = timeline(conversWith);
    if (floor !== null && line !== undefined) line.floor = floor;
    this.#reportDelivery(handle);
    handleMove();
  }

  handleRestart(conversWith: string, events: readonly ConversationEvent[], known: boolean): void {
    const { emitter, handleOwnCopy, handleMove } = this.#options;
    const { model } = this.handle(conversWith);
    model.restart(events);
    for (const message of model.held) if (message.own) handleOwnCopy(message, true);
    this.touch(conversWith);
    handleMove();
    if (known) emitter.emit("reset", { conversWith });
  }

  /** Puts a page of history in front; it is held beyond `heldMessages`. */
  prepend(conversWith: string, events: readonly ConversationEvent[]): readonly ChatMessage[] {
    const older = this.handle(conversWith).model.prepend(events);
    this.touch(conversWith);
    return older;
  }

  handleState(state: ConversationState): void {
    const handle = this.handle(state.conversWith);
    handle.model.setState(state);
    this.#reportDelivery(handle);
    this.touch(state.conversWith);
  }

  handleGone(conversWith: string): void {
    this.handleRestart(conversWith, [], true);
  }

  handleError(error: ChatError): void {
    this.#options.emitter.emit("error", { error });
  }

  /** Somebody's watermarks in a conversation moved. */
  handleWatermarks(conversWith: string, user: string, watermarks: Watermarks): void {
    const { emitter } = this.#options;
    const { model } = this.handle(conversWith);
    if (user === this.#options.user) model.setOwn(watermarks);
    const changed = user === conversWith ? model.setCounterpart(watermarks) : [];
    this.touch(conversWith);
    for (const message of changed) emitter.emit("messageUpdated", { conversWith, message });
    emitter.emit("receipt", { conversWith, user, ...watermarks });
  }

  /** One message was received by the counterpart, as clients without watermarks tell it. */
  handleReceipt(conversWith: string, messageId: string): void {
    const { model } = this.handle(conversWith);
    const message = model.held.findLast(
      ({ messageId: id, attributes }) => id === messageId || attributes["tempUID"] === messageId,
    );
    const delivered = message?.seq ?? 0;
    if (delivered > (model.counterpart?.delivered ?? delivered)) {
      this.handleWatermarks(conversWith, conversWith, { delivered, read: model.counterpart?.read ?? 0 });
    }
  }

  handleMarkedUnread(conversWith: string, markedUnread: boolean): void {
    this.handle(conversWith).model.setFlags({ markedUnread });
    this.touch(conversWith);
  }

  handleArchived(conversWith: string, archived: boolean): void {
    this.handle(conversWith).model.setFlags({ archived });
    this.touch(conversWith);
  }

  /** Something that a conversation shows has changed. */
  touch(conversWith: string): void {
    if (this.#changed.size === 0) queueMicrotask(() => this.#announce());
    this.#changed.add(conversWith);
    this.#lists = undefined;
    this.handle(conversWith).touch();
  }

  #announce(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#notifier.notify();
    for (const conversWith of changed) {
      const { summary } = this.handle(conversWith);
      const before = this.#announced.get(conversWith);
      if (summary === before) continue;
      if (isListed(summary)) {
        this.#announced.set(conversWith, summary);
        this.#options.emitter.emit("conversation", { conversation: summary });
      } else if (this.#announced.delete(conversWith)) {
        this.#options.emitter.emit("conversationRemoved", { conversWith });
      }
    }
  }

  #isReleased(event: ConversationEvent): boolean {
    return event.seq <= (this.#options.timeline(event.conversWith)?.position ?? 0);
  }

  #reportDelivery({ conversWith, model }: ConversationHandle): void {
    if (!this.#options.reportDelivery || model.kind !== "direct") return;
    const seq = model.held.findLast(({ own }) => !own)?.seq ?? 0;
    if (seq <= model.own.delivered) return;
    model.setOwn({ delivered: seq, read: 0 });
    this.#options.markDelivered(conversWith, seq);
  }
}

function isListed(summary: ConversationSummary): boolean {
  return summary.lastMessage !== null;
}

import type { ConversationEvent } from "@chat21/protocol";
import type { Emitter, Retry, Unsubscribe } from "../api/emitter.ts";
import type { ChatEvents } from "../api/events.ts";
import type { ChatMessage } from "../api/message.ts";
import { ConversationModel } from "./conversation-model.ts";
import type { Reducer } from "./kinds/reducer.ts";
import { reducersWith } from "./kinds/reducers.ts";
import { projectEvent } from "./project-message.ts";
import type { Advance, Dispatch, Update } from "./update.ts";

/** Events of the state for the parts of a client. Each is emitted at once. */
export interface StoreEvents {
  /** A conversation's views have changed. */
  changed: { readonly conversWith: string };
  /** The user's own message came back; `held`: it stands in its place now. */
  ownCopy: { readonly message: ChatMessage; readonly held: boolean };
  /** A message of another user was taken in. */
  heard: { readonly conversWith: string; readonly sender: string };
  /** All messages of the counterpart up to `seq` are on this device. */
  delivered: { readonly conversWith: string; readonly seq: number };
  /** The app's handlers are still at work on an event; `done` never rejects. */
  handling: { readonly conversWith: string; readonly seq: number; readonly done: Promise<unknown> };
  /** More is known than before. */
  moved: undefined;
  /** The server has another history. */
  replaced: undefined;
  /** Only the server can tell what a list shows. */
  stale: undefined;
}

/** The parts that the store of conversations uses. */
export interface ModelStoreOptions {
  readonly user: string;
  /** Tells the app. */
  readonly emitter: Emitter<ChatEvents>;
  /** Tells the other parts. */
  readonly told: Emitter<StoreEvents>;
  /** For handlers of the log's events. */
  readonly retry: Retry;
  readonly heldMessages: number;
  readonly reportDelivery: boolean;
  /** Reducers of kinds that this version does not have. */
  readonly furtherKinds: Readonly<Record<string, Reducer>>;
}

type UpdateOf<Type extends Update["type"]> = Extract<Update, { readonly type: Type }>;
type ConversationUpdate = Exclude<Update["type"], "answered" | "arrived" | "asked" | "replaced">;

/** The state of all conversations. Only {@link dispatch} changes it, and it tells every change. */
export class ModelStore {
  readonly #options: ModelStoreOptions;
  readonly #reducers: ReadonlyMap<string, Reducer>;
  readonly #models = new Map<string, ConversationModel>();

  constructor(options: ModelStoreOptions) {
    this.#options = options;
    this.#reducers = reducersWith(options.furtherKinds);
  }

  /** The model of a conversation; an empty one for an unknown conversation. */
  model(conversWith: string): ConversationModel {
    const existing = this.#models.get(conversWith);
    if (existing !== undefined) return existing;
    const model = new ConversationModel({
      user: this.#options.user,
      conversWith,
      reducers: this.#reducers,
    });
    this.#models.set(conversWith, model);
    return model;
  }

  /** All known conversations. */
  get models(): Iterable<ConversationModel> {
    return this.#models.values();
  }

  on<Name extends keyof StoreEvents>(name: Name, handler: (event: StoreEvents[Name]) => void): Unsubscribe {
    return this.#options.told.on(name, handler);
  }

  readonly dispatch: Dispatch = (update) => {
    switch (update.type) {
      case "arrived":
        return this.#arrive(update.event);
      case "replaced":
        return this.#replace();
      case "asked":
        for (const model of this.#models.values()) {
          model.areFlagsNewer = false;
          model.isStale = false;
        }
        return;
      case "answered":
        return this.#options.told.emit("moved", undefined);
      case "state":
        return this.#reduce(update.state.conversWith, update);
      case "group":
        this.#reduce(update.group.id, update);
        return this.#options.emitter.emit("group", { group: update.group });
      default:
        return this.#reduce(update.conversWith, update);
    }
  };

  /** Applies an update of one conversation. */
  #reduce(conversWith: string, update: UpdateOf<ConversationUpdate>): void {
    const { emitter } = this.#options;
    const model = this.model(conversWith);
    switch (update.type) {
      case "advanced":
        this.#advance(model, update);
        break;
      case "restarted":
        this.#restart(model, update);
        break;
      case "extended":
        model.extend(update, update.asked);
        break;
      case "state":
        model.setState(update.state);
        this.#reportDelivery(conversWith, model);
        break;
      case "watermarks":
        this.#moveWatermarks(model, update);
        break;
      case "received":
        this.#receive(model, update);
        break;
      case "read":
        model.setFlags({ markedUnread: false });
        model.setOwn({ delivered: update.seq, read: update.seq });
        break;
      case "flagged":
        model.setFlags(update);
        break;
      case "queued": {
        const { message } = update;
        model.pending.set(message.key, message);
        this.#changed(conversWith);
        if (!update.loaded) emitter.emit("messageUpdated", { conversWith, message });
        break;
      }
      case "unqueued":
        model.pending.delete(update.clientMessageId);
        break;
      case "typing": {
        const { user, typing } = update;
        const others = model.typing.filter((other) => other !== user);
        model.typing = typing ? [...others, user] : others;
        this.#changed(conversWith);
        emitter.emit("typing", { conversWith, user, typing });
        break;
      }
      case "group":
        model.groupName = update.group.name;
    }
    this.#changed(conversWith);
  }

  /** Takes an event in. The user's own message settles the outbox even if messages before it are missing. */
  #arrive(event: ConversationEvent): void {
    const { user, told } = this.#options;
    const id = event.sender === user ? event.message?.client_message_id : null;
    if (id == null) return;
    const model = this.model(event.conversWith);
    if (model.pending.get(id)?.seq !== null) return;
    const message = projectEvent(event, model.viewpoint);
    if (message !== null) told.emit("ownCopy", { message, held: event.seq <= model.position });
  }

  #advance(model: ConversationModel, update: Advance): void {
    const { emitter, heldMessages, retry, told } = this.#options;
    const { conversWith, events, origin } = update;
    model.advance(update);
    for (const { event, fresh } of events) {
      const message = this.#apply(model, event);
      if (message !== null) told.emit("heard", { conversWith, sender: message.sender });
      if (!fresh) continue;
      const done =
        message === null
          ? emitter.emit("event", event, retry)
          : emitter.emit("message", { conversWith, message, origin }, retry);
      if (done !== undefined) told.emit("handling", { conversWith, seq: event.seq, done });
    }
    model.trim(heldMessages);
    this.#reportDelivery(conversWith, model);
    this.#askForStale(model);
    told.emit("moved", undefined);
  }

  #restart(model: ConversationModel, update: UpdateOf<"restarted">): void {
    const { emitter } = this.#options;
    const { conversWith, events, known } = update;
    model.restart(update);
    for (const event of events) this.#apply(model, event);
    this.#changed(conversWith);
    if (known) emitter.emit("reset", { conversWith });
  }

  #replace(): void {
    for (const [conversWith, model] of this.#models) {
      model.forgetOwn();
      if (model.position === 0) continue;
      this.dispatch({ type: "restarted", conversWith, from: 1, to: 0, head: 0, events: [], known: true });
    }
    this.#options.told.emit("replaced", undefined);
  }

  /** Runs the event's reducer; answers the message that it added. */
  #apply(model: ConversationModel, event: ConversationEvent): ChatMessage | null {
    const { emitter, told } = this.#options;
    const { conversWith } = event;
    const { added, amended } = model.apply(event);
    this.#changed(conversWith);
    if (added?.own) told.emit("ownCopy", { message: added, held: true });
    for (const message of amended) emitter.emit("messageUpdated", { conversWith, message });
    return added;
  }

  #moveWatermarks(model: ConversationModel, update: UpdateOf<"watermarks">): void {
    const { emitter } = this.#options;
    const { conversWith, user, delivered, read } = update;
    if (user === this.#options.user) {
      model.setOwn({ delivered, read });
      this.#askForStale(model);
    }
    const changed = user === conversWith ? model.setCounterpart({ delivered, read }) : [];
    this.#changed(conversWith);
    for (const message of changed) emitter.emit("messageUpdated", { conversWith, message });
    emitter.emit("receipt", { conversWith, user, delivered, read });
  }

  #receive({ held, counterpart }: ConversationModel, { conversWith, messageId }: UpdateOf<"received">): void {
    const message = held.findLast(
      ({ messageId: id, attributes }) => id === messageId || attributes["tempUID"] === messageId,
    );
    const delivered = message?.seq ?? 0;
    if (counterpart === null || delivered <= counterpart.delivered) return;
    const { read } = counterpart;
    this.dispatch({ type: "watermarks", conversWith, user: conversWith, delivered, read });
  }

  #reportDelivery(conversWith: string, model: ConversationModel): void {
    if (!this.#options.reportDelivery || model.kind !== "direct") return;
    const seq = model.held.findLast(({ own }) => !own)?.seq ?? 0;
    if (seq <= model.own.delivered) return;
    model.setOwn({ delivered: seq, read: 0 });
    this.#options.told.emit("delivered", { conversWith, seq });
  }

  /**
   * Asks for the state of a stale conversation. Answers of sync bring the state right behind the events: it may come in
   * the same turn.
   */
  #askForStale(model: ConversationModel): void {
    if (model.isStale) queueMicrotask(() => model.isStale && this.#options.told.emit("stale", undefined));
  }

  #changed(conversWith: string): void {
    this.#options.told.emit("changed", { conversWith });
  }
}

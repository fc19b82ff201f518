import { clientTopics } from "@chat21/protocol";
import { createDownlink } from "../connection/downlink.ts";
import { RestClient } from "../connection/rest.ts";
import type { TokenKeeper } from "../connection/token-keeper.ts";
import { errorOfAnswer, Uplink } from "../connection/uplink.ts";
import { wireIdOf } from "../connection/wire-id.ts";
import type { Reducer } from "../conversation/kinds/reducer.ts";
import { ModelStore } from "../conversation/model-store.ts";
import { Typing } from "../conversation/typing.ts";
import { newId } from "../outbox/new-id.ts";
import { OutboxQueue } from "../outbox/outbox.ts";
import { Sender } from "../outbox/sender.ts";
import { WatermarkQueue } from "../outbox/watermark-queue.ts";
import { PositionKeeper } from "../sync/position-keeper.ts";
import { Synchronizer } from "../sync/synchronizer.ts";
import type { ClientStorage } from "./client-storage.ts";
import { ConversationActions } from "./conversation-actions.ts";
import { ConversationList } from "./conversation-list.ts";
import type { Retry } from "./emitter.ts";
import { Emitter } from "./emitter.ts";
import type { ChatEvents } from "./events.ts";
import { GroupsClient } from "./groups-client.ts";
import type { ResolvedOptions } from "./options.ts";
import { PresenceClient } from "./presence-client.ts";

/** Things that the parts of a client share. */
export interface ClientContext {
  readonly app: string;
  readonly user: string;
  readonly fullname: string;
  readonly options: ResolvedOptions;
  readonly tokens: TokenKeeper;
  readonly storage: ClientStorage;
  readonly emitter: Emitter<ChatEvents>;
  readonly furtherKinds: Readonly<Record<string, Reducer>>;
  readonly retry: Retry;
  handleOutboxChange(): void;
  report(thrown: unknown): void;
}

/** The parts of a client. */
export type ClientParts = ReturnType<typeof createParts>;

/**
 * Makes the parts. Data goes one way: the synchronizer puts arrivals in order, `dispatch` changes the store, and the
 * store tells the app and the other parts.
 */
export function createParts(context: ClientContext) {
  const { app, user, fullname, options, tokens, storage, emitter, report } = context;
  const { apiUrl, backoff, clock, fetch, heldMessages, log, maxCatchUp, reportDelivery } = options;
  const handleError = (error: ChatEvents["error"]["error"]) => emitter.emit("error", { error });
  const uplink = new Uplink({ app, user, clock });
  const rest = new RestClient({ apiUrl, tokens, fetch, clock });

  const store = new ModelStore({
    user,
    emitter,
    told: new Emitter(report),
    retry: context.retry,
    heldMessages,
    reportDelivery,
    furtherKinds: context.furtherKinds,
  });
  const { dispatch } = store;
  const synchronizer = new Synchronizer({
    user,
    clock,
    backoff,
    maxCatchUp,
    dispatch,
    handleError,
    source: rest,
  });
  const positions = new PositionKeeper({
    clock,
    snapshot: () => synchronizer.snapshot(),
    async put(kept) {
      // What is behind a position is not delivered again: its marks are kept first.
      await watermarks.keep();
      await storage.putPositions(kept);
    },
    handleError: report,
  });

  const groups = new GroupsClient({ user, rest, dispatch });
  const presence = new PresenceClient({
    clock,
    rest,
    report,
    handleChange: (change) => emitter.emit("presence", change),
  });
  const typing = new Typing({
    clock,
    dispatch,
    send: (conversWith, active) => uplink.tell({ type: "typing", conversWith, typing: active }),
  });
  const watermarks = new WatermarkQueue({
    clock,
    handleError,
    store: storage.marks,
    epoch: () => synchronizer.epoch,
    send: (some) => uplink.ask({ type: "mark", marks: [...some] }),
    handleLoaded: (conversWith, seq) => dispatch({ type: "read", conversWith, seq }),
  });
  const outbox = new OutboxQueue({
    user,
    newId,
    clock,
    dispatch,
    handleError,
    store: storage.outbox,
    window: options.sendWindow,
    publish({ to, body, clientMessageId }) {
      const message = { ...body, client_message_id: clientMessageId, device: uplink.clientId };
      uplink.publish(clientTopics.outgoing(app, wireIdOf(user), wireIdOf(to)), message);
    },
    handleChange: context.handleOutboxChange,
  });
  const titleOf = (conversWith: string) => store.model(conversWith).summary.title;
  const sender = new Sender({ fullname, outbox, typing, titleOf });
  const actions = new ConversationActions({
    app,
    user,
    rest,
    uplink,
    store,
    synchronizer,
    sender,
    watermarks,
    typing,
  });
  const conversations = new ConversationList({ user, store, actions, emitter, report });

  store.on("ownCopy", ({ message, held }) => {
    if (message.clientMessageId === null) return;
    outbox.settle(message.clientMessageId, message);
    if (held) outbox.forget(message.clientMessageId);
  });
  store.on("heard", ({ conversWith, sender: from }) => typing.handle(conversWith, from, false));
  store.on("delivered", ({ conversWith, seq }) => watermarks.add({ conversWith, delivered: seq }));
  store.on("moved", () => {
    watermarks.takeOver();
    positions.touch();
  });
  store.on("replaced", () => watermarks.forget());
  store.on("handling", async ({ conversWith, seq, done }) => {
    await synchronizer.follow(conversWith, seq, done);
    positions.touch();
  });
  store.on("stale", () => synchronizer.check());

  const handlePublish = createDownlink({
    dispatch,
    log,
    epoch: () => synchronizer.epoch,
    handleEvent: (event) => synchronizer.handleLive(event),
    handleGroup: (group) => void groups.handle(group),
    handleAnswer(answer) {
      uplink.handleAnswer(answer);
      const error = errorOfAnswer(answer);
      if (answer.client_message_id && error !== null) outbox.refuse(answer.client_message_id, error);
    },
    handleEphemeral(sign) {
      if (sign.type === "typing") typing.handle(sign.conversWith, sign.user, sign.typing);
      else presence.handle(sign.user, sign.presence, sign.last_seen);
    },
  });
  return {
    conversations,
    groups,
    handlePublish,
    watermarks,
    outbox,
    positions,
    presence,
    rest,
    sender,
    synchronizer,
    typing,
    uplink,
  };
}

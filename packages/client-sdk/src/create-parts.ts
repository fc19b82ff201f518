import type { ChatError } from "@chat21/protocol";
import { topics } from "@chat21/protocol";
import type { ClientContext, ClientParts } from "./client-parts.ts";
import { Commands } from "./commands.ts";
import { conversationActions } from "./conversation-actions.ts";
import { ConversationStore } from "./conversation-store.ts";
import { GroupsClient } from "./groups-client.ts";
import { Marks } from "./marks.ts";
import { newId } from "./new-id.ts";
import { OutboxQueue } from "./outbox.ts";
import { PositionKeeper } from "./position-keeper.ts";
import { PresenceClient } from "./presence-client.ts";
import { RestClient } from "./rest.ts";
import { Sender } from "./sender.ts";
import { ServerClock } from "./server-clock.ts";
import { Synchronizer } from "./synchronizer.ts";
import { Typing } from "./typing.ts";

/** Makes the parts and lets them know of each other. Nothing happens before something is asked or arrives. */
export function createParts(context: ClientContext): ClientParts {
  // The parts call each other only when something happens, and by then all of them are there.
  const parts = {} as ClientParts;
  const { options, tokens } = context;
  const { clock } = options;
  const rest = new RestClient({ apiUrl: options.apiUrl, tokens, fetch: options.fetch, clock });
  return Object.assign(parts, {
    rest,
    commands: new Commands(clock),
    conversations: createConversations(context, parts, rest),
    groups: createGroups(context, parts, rest),
    marks: createMarks(context, parts),
    outbox: createOutbox(context, parts),
    positions: createPositions(context, parts),
    presence: createPresence(context, rest),
    sender: createSender(context, parts),
    serverClock: new ServerClock(rest, clock),
    synchronizer: createSynchronizer(context, parts),
    typing: createTyping(context, parts),
  } satisfies ClientParts);
}

function handleErrorOf({ emitter }: ClientContext): (error: ChatError) => void {
  return (error) => emitter.emit("error", { error });
}

function createConversations(
  context: ClientContext,
  parts: ClientParts,
  rest: RestClient,
): ConversationStore {
  const { app, user, options, emitter, link, report } = context;
  return new ConversationStore({
    user,
    emitter,
    report,
    heldMessages: options.heldMessages,
    reportDelivery: options.reportDelivery,
    actions: conversationActions({ app, user, rest, parts, link }),
    timeline: (conversWith) => parts.synchronizer.timeline(conversWith),
    pending: (conversWith) => parts.outbox.of(conversWith),
    typing: (conversWith) => parts.typing.of(conversWith),
    groupName: (conversWith) => parts.groups.known(conversWith)?.name,
    handleOwnCopy(message, held) {
      if (message.clientMessageId === null) return;
      parts.outbox.settle(message.clientMessageId, message);
      if (held) parts.outbox.forget(message.clientMessageId);
    },
    handleMessageFrom: (conversWith, sender) => parts.typing.handle(conversWith, sender, false),
    handleMove: () => parts.positions.touch(),
    markDelivered: (conversWith, delivered) => parts.marks.add({ conversWith, delivered }),
  });
}

function createGroups({ user, emitter }: ClientContext, parts: ClientParts, rest: RestClient): GroupsClient {
  return new GroupsClient({
    user,
    rest,
    handleChange(group) {
      parts.conversations.touch(group.id);
      emitter.emit("group", { group });
    },
  });
}

function createMarks(context: ClientContext, parts: ClientParts): Marks {
  return new Marks({
    clock: context.options.clock,
    send: (marks) => parts.commands.ask({ type: "mark", marks: [...marks] }),
    handleError: handleErrorOf(context),
  });
}

function createOutbox(context: ClientContext, parts: ClientParts): OutboxQueue {
  const { app, user, options, storage, emitter, link, handleOutboxChange } = context;
  return new OutboxQueue({
    user,
    newId,
    clock: options.clock,
    store: storage.outbox,
    window: options.sendWindow,
    publish({ to, body, clientMessageId }) {
      const current = link();
      const message = { ...body, client_message_id: clientMessageId, device: current?.clientId };
      current?.publish(topics.outgoing(app, user, to), message);
    },
    handleChange(conversWith, message) {
      parts.conversations.touch(conversWith);
      if (message !== null) emitter.emit("messageUpdated", { conversWith, message });
      handleOutboxChange();
    },
    handleError: handleErrorOf(context),
  });
}

function createPositions({ options, storage, report }: ClientContext, parts: ClientParts): PositionKeeper {
  return new PositionKeeper({
    clock: options.clock,
    snapshot: () => parts.synchronizer.snapshot(),
    put: (positions) => storage.putPositions(positions),
    handleError: report,
  });
}

function createPresence({ emitter, options, report }: ClientContext, rest: RestClient): PresenceClient {
  return new PresenceClient({
    clock: options.clock,
    rest,
    report,
    handleChange: (presence) => emitter.emit("presence", presence),
  });
}

function createSender({ app, user, fullname }: ClientContext, parts: ClientParts): Sender {
  return new Sender({
    app,
    user,
    fullname,
    outbox: () => parts.outbox,
    titleOf: (conversWith) => parts.conversations.handle(conversWith).summary.title,
    handleSend: (conversWith) => parts.typing.forget(conversWith),
  });
}

function createSynchronizer({ user, options }: ClientContext, parts: ClientParts): Synchronizer {
  return new Synchronizer({
    user,
    clock: options.clock,
    backoff: options.backoff,
    maxCatchUp: options.maxCatchUp,
    // Looked up late: the one is made after the other.
    source: {
      sync: (request, signal) => parts.serverClock.sync(request, signal),
      events: (conversWith, range, signal) => parts.rest.events(conversWith, range, signal),
    },
    get sink() {
      return parts.conversations;
    },
  });
}

function createTyping({ options, emitter }: ClientContext, parts: ClientParts): Typing {
  return new Typing({
    clock: options.clock,
    send: (conversWith, typing) => parts.commands.tell({ type: "typing", conversWith, typing }),
    handleChange(conversWith, user, typing) {
      parts.conversations.touch(conversWith);
      emitter.emit("typing", { conversWith, user, typing });
    },
  });
}

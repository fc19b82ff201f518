import type { ClientTopic, Command } from "@chat21/protocol";
import {
  ChatError,
  commandSchema,
  isId,
  isOwnTopic,
  parseClientTopic,
  receiptSchema,
  topics,
  validate,
} from "@chat21/protocol";
import type { WaitingKind } from "./budgets.ts";
import { decodeMessage, decodePayload, parseJsonObject, tooLarge } from "./decode-message.ts";
import type { PresenceOperations } from "./engine.ts";
import type { LiveSessions } from "./live-sessions.ts";
import { runCommand } from "./operations/commands.ts";
import { archiveConversation, moveWatermarks, setIsNew } from "./operations/conversations.ts";
import { takeReceipt } from "./operations/receipts.ts";
import type { OperationsContext } from "./operations-context.ts";
import { deliver } from "./operations-context.ts";
import { sendDecoded } from "./pipeline.ts";
import type { Inbound, Session } from "./ports/edge.ts";
import type { PresenceKeeper } from "./presence-keeper.ts";

/** The device of an answer to a client whose id cannot stand in a topic. */
const everyDevice = "all";

/** Leads a client's publish to its rule. A refusal on one of its own topics is answered; a publish on any other closes the connection. */
export class InboundRouter {
  readonly #context: OperationsContext;
  readonly #presence: PresenceKeeper;
  readonly #typing: Pick<PresenceOperations, "typing">;
  readonly #sessions: Pick<LiveSessions, "connectBeforeLast">;

  constructor(
    context: OperationsContext,
    presence: PresenceKeeper,
    typing: Pick<PresenceOperations, "typing">,
    sessions: Pick<LiveSessions, "connectBeforeLast">,
  ) {
    this.#sessions = sessions;
    this.#context = context;
    this.#presence = presence;
    this.#typing = typing;
  }

  /** Resolves when the publish may be acknowledged. Rejects when the connection must be closed. */
  async handle(session: Session, inbound: Inbound): Promise<void> {
    if (!isOwnTopic(session.app, session.user, inbound.topic)) {
      this.#context.metrics.count("refused", { code: "forbidden" });
      throw new ChatError("forbidden", "the topic is not one of this client's own");
    }
    const origin: Origin = {
      session,
      device: isId(session.clientId) ? session.clientId : everyDevice,
      clientMessageId: undefined,
      requestId: undefined,
    };
    try {
      if (session.scopedTo?.mayPublish(inbound.topic) === false)
        throw new ChatError("forbidden", "the token's scopes do not cover this topic");
      const topic = parseClientTopic(inbound.topic);
      if (topic === null) throw new ChatError("invalid_id", "nothing can be sent to this topic");
      if (inbound.isCut) throw tooLarge();
      const routed = this.#route(session, topic, inbound, origin);
      // Not awaited here: while it waits, this call, and with it the payload, is over.
      if (routed instanceof Later) return this.#whenItsTurn(routed, origin, inbound.onRefused);
      await routed;
    } catch (thrown) {
      return this.#refuse(thrown, origin, inbound.onRefused);
    }
  }

  async #whenItsTurn({ turn, work }: Later, origin: Origin, onRefused: Inbound["onRefused"]): Promise<void> {
    try {
      await turn;
      await work();
    } catch (thrown) {
      return this.#refuse(thrown, origin, onRefused);
    }
  }

  /** Does the work now, or when the user's budget has room for it. */
  #inTurn(
    kind: WaitingKind,
    session: Session,
    work: () => Promise<unknown> | undefined,
    cost?: number,
  ): Promise<unknown> | Later | undefined {
    const turn = this.#context.budgets.turn(kind, session.app, session, cost);
    return turn === undefined ? work() : new Later(turn, work);
  }

  #route(
    session: Session,
    topic: ClientTopic,
    inbound: Inbound,
    origin: Origin,
  ): Promise<unknown> | Later | undefined {
    const { payload } = inbound;
    switch (topic.kind) {
      case "send":
        return this.#send(session, topic.recipient, inbound, origin);
      case "receipt": {
        const { status } = validate(receiptSchema, parseJsonObject(decodePayload(payload)));
        return this.#inTurn("receipt", session, () =>
          status === 200 ? takeReceipt(this.#context, topic) : undefined,
        );
      }
      case "conversation-update": {
        const patch = parseJsonObject(decodePayload(payload));
        if (!Object.hasOwn(patch, "is_new")) throw new ChatError("bad_request", "is_new is missing");
        // Existing clients may put any value here, and read it as JavaScript does.
        const isNew = Boolean(patch["is_new"]);
        return this.#inTurn("update", session, () =>
          setIsNew(this.#context, topic.app, topic.user, topic.conversWith, isNew),
        );
      }
      case "conversation-archive":
        return this.#inTurn("update", session, () =>
          archiveConversation(this.#context, topic.app, topic.user, topic.conversWith),
        );
      case "presence":
        return this.#presenceOf(session, payload);
      case "command":
        return this.#command(session, payload, origin);
    }
  }

  async #send(session: Session, recipient: string, inbound: Inbound, origin: Origin): Promise<void> {
    const text = decodePayload(inbound.payload);
    const object = parseJsonObject(text);
    // Read before the rest is checked, so that the sender of a wrong message learns which message it was.
    if (isId(object["device"])) origin.device = object["device"];
    if (isId(object["client_message_id"])) origin.clientMessageId = object["client_message_id"];
    const message = decodeMessage(text, object);
    const sender = { user: session.user, admin: session.admin };
    const resentSince = inbound.packet?.isDuplicate ? this.#sessions.connectBeforeLast(session) : 0;
    const delivered = { ...inbound, clientId: session.clientId, resentSince };
    await sendDecoded(this.#context, session.app, sender, recipient, message, delivered);
  }

  #presenceOf(session: Session, payload: Uint8Array): Promise<unknown> | Later | undefined {
    const isThere = Boolean(parseJsonObject(decodePayload(payload))["connected"]);
    return this.#inTurn("presence", session, () =>
      isThere ? this.#presence.online(session) : void this.#presence.withdrawn(session),
    );
  }

  #command(session: Session, payload: Uint8Array, origin: Origin): Promise<unknown> | Later | undefined {
    const object = parseJsonObject(decodePayload(payload));
    if (isId(object["request_id"])) origin.requestId = object["request_id"];
    const made = runCommand(this.#context, session.app, session, object);
    if (made !== undefined) return made.then(({ seq }) => this.#answer(origin, { code: "ok", seq }));
    const command = validate(commandSchema, object);
    const isDone = () => this.#answer(origin, { code: "ok" });
    if (command.type === "mark") {
      const mark = () => this.#mark(session, command).then(isDone);
      return this.#inTurn("update", session, mark, command.marks.length);
    }
    return this.#typing.typing({ app: session.app, user: session.user, admin: false }, command).then(isDone);
  }

  async #mark({ app, user }: Session, command: Command & { type: "mark" }): Promise<void> {
    for (const { conversWith, delivered, read, markedUnread } of command.marks) {
      await moveWatermarks(this.#context, app, user, {
        conversWith,
        ...(delivered === undefined ? {} : { delivered }),
        ...(read === undefined ? {} : { read }),
        ...(markedUnread === undefined ? {} : { markedUnread }),
      });
    }
  }

  /** Tells the client. Resolves when the publish may be settled, and throws when it must not be. */
  async #refuse(thrown: unknown, origin: Origin, onRefused: Inbound["onRefused"]): Promise<void> {
    const error = ChatError.fromUnknown(thrown);
    if (error.code === "shutting_down") throw error;
    onRefused?.(error);
    const { metrics, budgets } = this.#context;
    metrics.count("refused", { code: error.code });
    await this.#answer(origin, {
      code: error.code,
      message: error.code === "internal" ? "the server failed" : error.message,
      ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
    });
    return budgets.refusal(origin.session.app, origin.session);
  }

  #answer(
    { session, device, clientMessageId, requestId }: Origin,
    answer: object,
  ): Promise<void> | undefined {
    const { app, user } = session;
    const payload = JSON.stringify({ request_id: requestId, client_message_id: clientMessageId, ...answer });
    return deliver(this.#context, [{ app, user, topic: topics.answer(app, user, device), payload, qos: 1 }]);
  }
}

/** The destination of an answer, as far as it is known while a publish is decoded. */
interface Origin {
  readonly session: Session;
  device: string;
  clientMessageId: string | undefined;
  requestId: string | undefined;
}

/** Work that waits for its turn. */
class Later {
  readonly turn: Promise<void>;
  readonly work: () => Promise<unknown> | undefined;

  constructor(turn: Promise<void>, work: () => Promise<unknown> | undefined) {
    this.turn = turn;
    this.work = work;
  }
}

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
import { RateLimiter } from "./rate-limiter.ts";

/** Receipts for unknown message ids, per user. */
const unresolvedReceipts = { capacity: 60, refillPerMinute: 60 } as const;

/** The device of an answer to a client whose id cannot stand in a topic. */
const everyDevice = "all";

/** Leads a client's publish to its rule. A refusal on one of its own topics is answered; a publish on any other closes the connection. */
export class InboundRouter {
  readonly #context: OperationsContext;
  readonly #presence: PresenceKeeper;
  readonly #typing: Pick<PresenceOperations, "typing">;
  readonly #sessions: Pick<LiveSessions, "connectBeforeLast">;
  readonly #unresolvedRate: RateLimiter;

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
    this.#unresolvedRate = new RateLimiter(unresolvedReceipts, context.clock);
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
      await this.#route(session, topic, inbound, origin);
    } catch (thrown) {
      const error = ChatError.fromUnknown(thrown);
      if (error.code === "shutting_down") throw error;
      inbound.onRefused?.(error);
      await this.#refuse(origin, error);
    }
  }

  #route(
    session: Session,
    topic: ClientTopic,
    inbound: Inbound,
    origin: Origin,
  ): Promise<unknown> | undefined {
    const { payload } = inbound;
    switch (topic.kind) {
      case "send":
        return this.#send(session, topic.recipient, inbound, origin);
      case "receipt": {
        const { status } = validate(receiptSchema, parseJsonObject(decodePayload(payload)));
        return status === 200 ? takeReceipt(this.#context, this.#unresolvedRate, topic) : undefined;
      }
      case "conversation-update": {
        const patch = parseJsonObject(decodePayload(payload));
        if (!Object.hasOwn(patch, "is_new")) throw new ChatError("bad_request", "is_new is missing");
        // Existing clients may put any value here, and read it as JavaScript does.
        return setIsNew(this.#context, topic.app, topic.user, topic.conversWith, Boolean(patch["is_new"]));
      }
      case "conversation-archive":
        return archiveConversation(this.#context, topic.app, topic.user, topic.conversWith);
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

  async #presenceOf(session: Session, payload: Uint8Array): Promise<void> {
    const { connected } = parseJsonObject(decodePayload(payload));
    if (connected) await this.#presence.online(session);
    else this.#presence.withdrawn(session);
  }

  async #command(session: Session, payload: Uint8Array, origin: Origin): Promise<void> {
    const object = parseJsonObject(decodePayload(payload));
    if (isId(object["request_id"])) origin.requestId = object["request_id"];
    const made = runCommand(this.#context, session.app, { user: session.user, admin: session.admin }, object);
    if (made !== undefined) {
      const { seq } = await made;
      return this.#answer(origin, { code: "ok", seq });
    }
    const command = validate(commandSchema, object);
    if (command.type === "mark") await this.#mark(session, command);
    else await this.#typing.typing({ app: session.app, user: session.user, admin: false }, command);
    await this.#answer(origin, { code: "ok" });
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

  #refuse(origin: Origin, error: ChatError): Promise<void> | undefined {
    this.#context.metrics.count("refused", { code: error.code });
    return this.#answer(origin, {
      code: error.code,
      message: error.code === "internal" ? "the server failed" : error.message,
      ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
    });
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

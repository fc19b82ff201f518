import {
  ChatError,
  conversationIdOf,
  directConversationId,
  isConversWith,
  limits,
  looksLikeGroupId,
  toOutsideId,
} from "@chat21/protocol";
import type { Budgets } from "./budgets.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Actor, Page } from "./engine.ts";
import type { Kinds } from "./kinds/kinds.ts";
import type { Clock } from "./ports/clock.ts";
import type { Contact, Contacts } from "./ports/contacts.ts";
import type { Delivery, Edge } from "./ports/edge.ts";
import type { EventSink, Fact } from "./ports/event-sink.ts";
import type { Invalidations } from "./ports/invalidations.ts";
import type { Store } from "./ports/store.ts";
import type { Metrics } from "./ports/telemetry.ts";
import type { StateCache } from "./state-cache.ts";
import type { Writer } from "./writer.ts";

/** The parts of an engine that every operation works with. */
export interface OperationsContext {
  readonly store: Store;
  readonly edge: Edge;
  readonly sinks: readonly EventSink[];
  readonly states: StateCache;
  readonly writer: Writer;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly kinds: Kinds;
  readonly contacts: Contacts;
  readonly budgets: Budgets;
  readonly newId: () => string;
  readonly metrics: Metrics;
  readonly invalidations: Pick<Invalidations, "send">;
  /** Whether a message to this unknown group begins it. */
  readonly mayBegin: (group: string) => boolean;
  /** Throws `storage_full` when the disk has no room for more messages and groups. */
  readonly requireRoom: () => void;
  /** Throws `shutting_down` or `forbidden` when the engine may not serve this app now. */
  readonly requireService: (app: string) => void;
}

/** Throws `forbidden` unless the actor is `user` or an admin. */
export function requireSelf(actor: Actor, user: string): void {
  if (actor.user !== user && !actor.admin) throw new ChatError("forbidden");
}

/** Throws `forbidden` unless the actor is an admin. */
export function requireAdmin(actor: Actor): void {
  if (!actor.admin) throw new ChatError("forbidden", "only an admin may do that");
}

/** Throws `invalid_id` for a value that cannot be a user's or a group's id. */
export function requireConversWith(conversWith: string): void {
  if (!isConversWith(conversWith)) throw new ChatError("invalid_id");
}

/** A contact whose name is unknown or not needed: it is called by the id outside. */
export function nameless(user: string): Contact {
  return { fullname: toOutsideId(user), firstname: "", lastname: "" };
}

/** The page's size, within its limits. */
export function pageLimit(page: Page): number {
  return Math.max(1, Math.min(page.limit ?? limits.listDefault, limits.listMax));
}

/**
 * The stored conversation that `user` means by `conversWith`. A group's id may look like a user's: the group is only
 * looked up when there is no direct conversation.
 */
export async function resolveConversation(
  { states }: OperationsContext,
  app: string,
  user: string,
  conversWith: string,
): Promise<string> {
  requireConversWith(conversWith);
  if (looksLikeGroupId(conversWith)) return conversWith;
  const direct = directConversationId(user, conversWith);
  if (await states.hasBegun(app, direct)) return direct;
  const group = await states.read(app, conversWith);
  return group.members.has(user) ? conversWith : conversationIdOf(user, conversWith);
}

/** Delivers receipts, list patches and answers: everything that is not an event of a log. See `Edge.deliver`. */
export function deliver(
  context: OperationsContext,
  deliveries: readonly Delivery[],
): Promise<void> | undefined {
  const reached = deliveries.filter(({ app, user }) => context.edge.reaches(app, user));
  return reached.length > 0 ? context.edge.deliver(reached) : undefined;
}

/** Hands facts to every sink, one after the other. */
export async function handOver({ sinks }: OperationsContext, facts: readonly Fact[]): Promise<void> {
  for (const sink of sinks) await sink.accept(facts);
}

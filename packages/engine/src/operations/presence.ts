import { ChatError, conversWithOf, isUserId, topics } from "@chat21/protocol";
import type { PresenceOperations } from "../engine.ts";
import type { OperationsContext } from "../operations-context.ts";
import { deliver, requireAdmin, resolveConversation } from "../operations-context.ts";
import { acquaintancesOf } from "./acquaintance.ts";

/** Presence and typing. While presence is not enabled, everybody looks as if never seen. */
export function presenceOperations(context: OperationsContext, isEnabled: boolean): PresenceOperations {
  const { store, clock } = context;
  return {
    async get({ app, user, admin }, users) {
      const acquaintances = admin
        ? new Set(users)
        : await acquaintancesOf(store.conversations, app, user, users);
      // Who knows whom decides about names and profiles, too, with presence or without.
      const found = isEnabled ? await store.presence.get(app, users, clock.now()) : [];
      return users.map((other, index) => {
        const known = acquaintances.has(other);
        const presence = known ? found[index] : undefined;
        return { known, online: presence?.online ?? false, lastSeen: presence?.lastSeen ?? 0 };
      });
    },

    async typing(actor, { conversWith, typing, user = actor.user }) {
      const { app, admin } = actor;
      context.requireService(app);
      if (user !== actor.user) requireAdmin(actor);
      if (!isUserId(user)) throw new ChatError("invalid_id", "the user's id has a form that is not allowed");
      context.budgets.spend("typing", app, { user, admin });
      const conversation = await resolveConversation(context, app, user, conversWith);
      const state = await context.states.read(app, conversation);
      if (!(admin || state.isMember(user))) throw new ChatError("not_member");
      const others = state.present().filter((member) => member !== user);
      await deliver(
        context,
        others.map((other) => {
          const name = conversWithOf(conversation, other);
          const payload = `{"type":"typing","conversWith":"${name}","user":"${user}","typing":${typing}}`;
          return { app, user: other, topic: topics.ephemeral(app, other), payload, qos: 0 as const };
        }),
      );
    },
  };
}

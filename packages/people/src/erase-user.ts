import { type Actor, type Engine, everyConversation, type Store } from "@chat21/engine";
import { directMembers } from "@chat21/protocol";
import type { PeopleStore } from "./people-store.ts";

/** The parts that erase a person's data. */
export interface EraseUserParts {
  readonly store: Pick<Store, "conversations"> & Pick<PeopleStore, "users">;
  readonly engine: Pick<Engine, "groups" | "messages">;
  readonly verifier: {
    /** Makes every token of the user that was issued until now invalid; see `Verifier` of `@chat21/auth`. */
    revoke(request: { readonly app: string; readonly user: string }): Promise<unknown>;
  };
  readonly webhooks: {
    /** Removes recorded events that name the user and are not waiting any more; see `DeliveryLog` of `@chat21/events`. */
    forget(app: string, user: string): Promise<number>;
  };
}

/** Counts of the erased data. */
export interface ErasedUser {
  /** Messages whose bodies were erased; their numbers stay. */
  readonly messages: number;
  /** Events of others and of the system in which the person's names were replaced by the id. */
  readonly names: number;
  /** Recorded webhook events that named the person; those that waited are sent no more. */
  readonly webhooks: number;
  /** Groups that the person was removed from. */
  readonly groups: number;
  /** Whether a profile existed. */
  readonly profile: boolean;
  /** Push registrations. */
  readonly instances: number;
}

/**
 * Erases a person: tokens first, so that nothing new comes, then groups, messages, names in others' events, profile, push
 * registrations, presence, and recorded webhooks. May be repeated after a failure: erased data stays erased.
 */
export async function eraseUser(parts: EraseUserParts, actor: Actor, user: string): Promise<ErasedUser> {
  const { engine, store, verifier, webhooks } = parts;
  const { app } = actor;
  await verifier.revoke({ app, user });
  const groups = await leaveGroups(parts, actor, user);
  const messages = await engine.messages.eraseSender(actor, user);
  const names = await engine.messages.eraseNames(actor, user);
  const erased = await store.users.erase(app, user);
  return { messages, names, groups, ...erased, webhooks: await webhooks.forget(app, user) };
}

async function leaveGroups({ store, engine }: EraseUserParts, actor: Actor, user: string): Promise<number> {
  const { app } = actor;
  let left = 0;
  for await (const page of everyConversation(store.conversations, app, user)) {
    const groups = page.filter((conversation) => directMembers(conversation) === null);
    const records = await store.conversations.load(groups.map((conversation) => ({ app, conversation })));
    for (const record of records) {
      if (record?.group == null) continue;
      const member = record.members.find((one) => one.user === user);
      if (member?.intervals.at(-1)?.[1] !== null) continue;
      await engine.groups.removeMember(actor, record.conversation, user);
      left++;
    }
  }
  return left;
}

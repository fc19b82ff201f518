import type { EventType } from "@chat21/protocol";
import { erased } from "./erased.ts";
import { groupCreated } from "./group-created.ts";
import { groupUpdated } from "./group-updated.ts";
import type { Kind, KindCommand } from "./kind.ts";
import { memberAdded } from "./member-added.ts";
import { memberRemoved } from "./member-removed.ts";
import { message } from "./message.ts";

/** The rules of every kind, by its name on the wire. A missing kind of the protocol is a compile error. */
export const eventRules = {
  message,
  group_created: groupCreated,
  group_updated: groupUpdated,
  member_added: memberAdded,
  member_removed: memberRemoved,
  erased,
} as const satisfies Readonly<Record<EventType, Kind>>;

/** The kinds that an engine knows. */
export class Kinds {
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #commands: ReadonlyMap<string, Kind>;

  constructor(rules: Readonly<Record<string, Kind>> = eventRules) {
    this.#kinds = new Map(Object.entries(rules));
    this.#commands = new Map(
      [...this.#kinds.values()].flatMap((kind) => {
        const { command } = kind.wire;
        return command === undefined ? [] : [[command.type, kind] as const];
      }),
    );
  }

  /** `undefined` for a kind of a later version: readers skip its events, and they are never changed. */
  of(type: string): Kind | undefined {
    return this.#kinds.get(type);
  }

  /** The schema and the rules of a command, by its `type`. */
  command(type: unknown) {
    const kind = typeof type === "string" ? this.#commands.get(type) : undefined;
    const schema = kind?.wire.command?.schema;
    const rules = kind?.command as KindCommand<never> | undefined;
    return schema === undefined || rules === undefined ? undefined : { schema, rules };
  }

  /** Names of the kinds that change earlier messages. */
  get amending(): readonly string[] {
    return [...this.#kinds].flatMap(([type, { amends }]) => (amends === undefined ? [] : [type]));
  }
}

/** A group. */
export interface ChatGroup {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly members: readonly string[];
  /** Milliseconds. */
  readonly createdOn: number;
  /** Milliseconds. */
  readonly updatedOn: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A group to create. */
export interface NewGroup {
  readonly name: string;
  /** User ids; the creator is added. */
  readonly members: readonly string[];
  /** Must contain `group-`. @default `group-` and a UUID */
  readonly id?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/**
 * Groups. Calls resolve when the change is stored; members hear of it by the `group` event. They reject with
 * `not_found`, `forbidden`, `already_member`, `conflict`, `invalid_id` or `bad_request`.
 */
export interface Groups {
  create(group: NewGroup): Promise<ChatGroup>;
  /** Members only. Always asks the server. */
  get(id: string): Promise<ChatGroup>;
  /** The last known state of the group, without asking the server. */
  known(id: string): ChatGroup | undefined;
  addMember(id: string, user: string): Promise<void>;
  /** Replaces the members. No effect when the members are the same. */
  setMembers(id: string, users: readonly string[]): Promise<void>;
  removeMember(id: string, user: string): Promise<void>;
  /** Removes this user. */
  leave(id: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** Replaces the attributes. */
  setAttributes(id: string, attributes: Readonly<Record<string, unknown>>): Promise<void>;
}

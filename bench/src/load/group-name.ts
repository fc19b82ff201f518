const pattern = /^group-bench-.+-(\d+)$/;

/** A group id that says how many members it has, so that a server without groups can still serve it. */
export function groupName(run: string, members: number): string {
  return `group-bench-${run}-${members}`;
}

/** The id of a group's member. */
export function memberName(group: string, index: number): string {
  return `${group.slice("group-".length)}-m${index}`;
}

/** The members of a group with a name of {@link groupName}; `null` for any other id. */
export function membersOf(group: string): readonly string[] | null {
  const match = pattern.exec(group);
  return match === null
    ? null
    : Array.from({ length: Number(match[1]) }, (_, index) => memberName(group, index));
}

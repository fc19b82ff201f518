/** Which of the other nodes have connections of which users. */
export class UserTable {
  readonly #nodesOf = new Map<string, readonly string[]>();
  readonly #usersOf = new Map<string, Set<string>>();

  get isEmpty(): boolean {
    return this.#nodesOf.size === 0;
  }

  /** The nodes with connections of the user, `app/user`; often none. */
  nodesOf(user: string): readonly string[] {
    return this.#nodesOf.get(user) ?? none;
  }

  add(node: string, user: string): void {
    let users = this.#usersOf.get(node);
    if (users === undefined) {
      users = new Set();
      this.#usersOf.set(node, users);
    }
    if (users.has(user)) return;
    users.add(user);
    this.#nodesOf.set(user, [...this.nodesOf(user), node]);
  }

  remove(node: string, user: string): void {
    if (!this.#usersOf.get(node)?.delete(user)) return;
    const left = this.nodesOf(user).filter((other) => other !== node);
    if (left.length > 0) this.#nodesOf.set(user, left);
    else this.#nodesOf.delete(user);
  }

  /** Forgets a node with all its users. */
  drop(node: string): void {
    for (const user of this.#usersOf.get(node) ?? []) this.remove(node, user);
    this.#usersOf.delete(node);
  }

  clear(): void {
    this.#nodesOf.clear();
    this.#usersOf.clear();
  }
}

const none: readonly string[] = [];

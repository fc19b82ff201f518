import type { Session } from "@chat21/engine";

/** The publishes of all sessions of a user that the engine has and has not settled. */
export interface UserLoad {
  inFlight: number;
  /** Whether a connection of the user holds a packet back until one settles. */
  isFull: boolean;
}

/** A {@link UserLoad} for each user with a session, or with a publish that is not settled. */
export class UserLoads {
  readonly #loads = new Map<string, UserLoad & { sessions: number }>();

  /** A session begins. */
  open({ app, user }: Session): UserLoad {
    const key = `${app}/${user}`;
    const load = this.#loads.get(key) ?? { sessions: 0, inFlight: 0, isFull: false };
    this.#loads.set(key, load);
    load.sessions++;
    return load;
  }

  /** A session ends. */
  close(session: Session): void {
    const load = this.#loads.get(`${session.app}/${session.user}`);
    if (load === undefined) return;
    load.sessions--;
    this.forgetIdle(session);
  }

  /** Who disconnects and comes back at once has not got rid of what is under way. */
  forgetIdle({ app, user }: Session): void {
    const key = `${app}/${user}`;
    const load = this.#loads.get(key);
    if (load !== undefined && load.sessions === 0 && load.inFlight === 0) this.#loads.delete(key);
  }
}

import type { EdgeHandler, Inbound, Session } from "@chat21/engine";

/** One call of `handlePublish`. */
export interface Taken {
  readonly session: Session;
  readonly topic: string;
  readonly text: string;
  readonly redelivered: boolean;
  readonly isCurrent: () => boolean;
}

/** Notes what an edge hands over, and settles it as the test says. */
export class RecordingHandler implements EdgeHandler {
  readonly taken: Taken[] = [];
  readonly gone: string[] = [];
  takeovers = 0;
  /** Decides on each publish. @default finished at once */
  onPublish: (taken: Taken) => Promise<void> = async () => {};
  #watchers: (() => void)[] = [];

  async authenticate(): Promise<Session> {
    throw new Error("the broker has the connections");
  }

  async renew(): Promise<void> {}

  isAdmitted(): boolean {
    return false;
  }

  handleOpen(): void {}

  handleClose(): void {}

  canSubscribe(): boolean {
    return false;
  }

  async handlePublish(session: Session, { topic, payload, redelivered, isCurrent }: Inbound): Promise<void> {
    const taken = {
      ...{ session, topic, text: Buffer.from(payload).toString() },
      ...{ redelivered: redelivered ?? false, isCurrent: isCurrent ?? (() => true) },
    };
    this.taken.push(taken);
    this.#changed();
    await this.onPublish(taken);
  }

  async handleTakeover(): Promise<void> {
    this.takeovers += 1;
    this.#changed();
  }

  async handleGone(clientId: string): Promise<void> {
    this.gone.push(clientId);
    this.#changed();
  }

  handleMoved(): void {}

  /** Resolves when the condition holds, looked at after each call. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void this.#watchers.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}

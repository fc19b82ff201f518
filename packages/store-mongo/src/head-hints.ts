import type { Log } from "@chat21/engine";
import type { Collections } from "./collections.ts";
import type { ConversationKey } from "./documents.ts";

/** Written at the latest after so long. */
const maxAgeMs = 500;

/** A head that is lost is looked for in its log; but a loss must not be read by anybody before it happens. */
const lazily = { writeConcern: { w: "majority", journal: false }, ordered: false } as const;

interface Hint {
  readonly key: ConversationKey;
  readonly head: number;
  readonly lastTimestamp: number;
}

/**
 * The heads that conversation documents carry, on their way behind the commits: ten thousand messages of a busy group
 * make a handful of updates of its document.
 */
export class HeadHints {
  readonly #conversations: Collections["conversations"];
  readonly #log: Log | undefined;
  #hints = new Map<string, Hint>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor({ conversations }: Collections, log: Log | undefined) {
    this.#conversations = conversations;
    this.#log = log;
  }

  raise({ app, conversation }: ConversationKey, head: number, lastTimestamp: number): void {
    this.#hints.set(`${app}\n${conversation}`, { key: { app, conversation }, head, lastTimestamp });
    this.#wake();
  }

  /** The last write: what fails now is left to those who look into the log. */
  async close(): Promise<void> {
    await this.#flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #wake(): void {
    this.#timer ??= setTimeout(() => void this.#flush(), maxAgeMs).unref();
  }

  #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const hints = this.#hints;
    if (hints.size === 0) return;
    this.#hints = new Map();
    try {
      await this.#conversations.bulkWrite(
        [...hints.values()].map(({ key, head, lastTimestamp }) => ({
          updateOne: { filter: { _id: key }, update: { $max: { head, lastTimestamp } } },
        })),
        lazily,
      );
    } catch (error) {
      this.#log?.warn({ err: error }, "conversations' heads were not raised; trying again");
      this.#hints = new Map([...hints, ...this.#hints]);
      this.#wake();
    }
  }
}

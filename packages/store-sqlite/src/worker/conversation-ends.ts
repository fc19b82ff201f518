/** Log position and timestamp. */
const fieldsPerConversation = 2;
const bytesPerConversation = fieldsPerConversation * Float64Array.BYTES_PER_ELEMENT;

const firstConversations = 4_096;

/** A number that no conversation has: the first one is 1. Its place holds the last touch. */
const noConversation = 0;

/**
 * 256 MiB of addresses; memory is used only as conversations come. Conversations beyond are looked up in the database.
 */
const maxConversations = 2 ** 24;

/**
 * The end of every conversation's log, by the conversation's number: position and timestamp of its last event. One block
 * of memory that the threads share (ADR 0012): the writer sets an end before it commits, so that a reader never sees
 * less than its snapshot holds, and perhaps more. 0: nothing was written since the store was opened. A reader keeps ends
 * that it has read itself in the same form, in memory of its own.
 *
 * Plain numbers of 64 bits: aligned ones are written in one piece on every machine that Node supports.
 */
export class ConversationEnds {
  readonly #memory: SharedArrayBuffer;
  // Of a fixed length: one that follows the memory's length costs ten times as much to read.
  #view: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#view = viewOf(memory);
  }

  /** Memory to share, made once for all threads of a store. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(firstConversations * bytesPerConversation, {
      maxByteLength: maxConversations * bytesPerConversation,
    });
  }

  /** Whether the writer tells of this conversation. */
  holds(conversation: number): boolean {
    return conversation < maxConversations;
  }

  /** Only on the thread that writes, before it commits. */
  set(conversation: number, logPosition: number, timestamp: number): void {
    if (!this.reserve(conversation)) return;
    const at = fieldsPerConversation * conversation;
    this.#view[at] = logPosition;
    this.#view[at + 1] = timestamp;
  }

  /** As {@link set}, for a change that is no event: the last event stays. */
  touch(conversation: number, logPosition: number): void {
    if (this.reserve(conversation)) this.#view[fieldsPerConversation * conversation] = logPosition;
    this.#view[fieldsPerConversation * noConversation] = logPosition;
  }

  /** Number of the newest {@link touch}, of whatever conversation. */
  lastTouch(): number {
    return this.#field(noConversation, 0);
  }

  /**
   * Makes room up to this conversation, on the thread that writes. Returns whether there is room. To look beyond the end
   * costs a reader ten times as much as to look inside, so the writer makes room for all conversations when it starts.
   */
  reserve(conversation: number): boolean {
    if (fieldsPerConversation * conversation < this.#view.length) return true;
    if (!this.holds(conversation)) return false;
    const wanted = Math.max(this.#memory.byteLength * 2, (conversation + 1) * bytesPerConversation);
    this.#memory.grow(Math.min(wanted, this.#memory.maxByteLength));
    this.#view = viewOf(this.#memory);
    return true;
  }

  logPosition(conversation: number): number {
    return this.#field(conversation, 0);
  }

  timestamp(conversation: number): number {
    return this.#field(conversation, 1);
  }

  #field(conversation: number, field: number): number {
    const at = fieldsPerConversation * conversation + field;
    if (at >= this.#view.length && this.#view.byteLength < this.#memory.byteLength) {
      this.#view = viewOf(this.#memory);
    }
    return this.#view[at] ?? 0;
  }
}

function viewOf(memory: SharedArrayBuffer): Float64Array {
  return new Float64Array(memory, 0, Math.floor(memory.byteLength / Float64Array.BYTES_PER_ELEMENT));
}

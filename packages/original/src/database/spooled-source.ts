import type {
  OriginalConversation,
  OriginalCopyState,
  OriginalMessage,
  OriginalPage,
  OriginalSource,
} from "../conversations/source.ts";
import type { OriginalDocument } from "../documents/copy.ts";
import { type DocumentKey, keyText, type OriginalDatabase } from "./original-database.ts";
import type { OriginalSpool, SpooledConversation, SpooledCopy, SpooledMessage } from "./spool.ts";

/** Messages whose content is read at once. */
const maxMessages = 500;
/** Copies of these messages; in a large group each has thousands. */
const maxCopies = 50_000;
/** Conversations read from the spool at once. */
const conversationsAtOnce = 500;

interface Gathered {
  readonly message: SpooledMessage;
  readonly copies: readonly SpooledCopy[];
}

interface GatheredPage {
  readonly conversation: OriginalConversation;
  readonly gathered: readonly Gathered[];
  readonly isLast: boolean;
}

/** The conversations of a sorted spool. Contents come from the database, once per message. */
export function createSpooledSource(spool: OriginalSpool, database: OriginalDatabase): OriginalSource {
  const ids = new WeakMap<OriginalConversation, number>();
  const hasStubs = spool.stubCount > 0;

  function describe({ id, app, conversation, kind }: SpooledConversation): OriginalConversation {
    const group = spool.group(id);
    const described = { app, conversation, kind, ...spool.extent(id), group, entries: spool.entries(id) };
    ids.set(described, id);
    return described;
  }

  /** Pages in their order. None exceeds the bounds of one read. */
  function* gather(conversations: readonly OriginalConversation[]): Iterable<GatheredPage> {
    for (const conversation of conversations) {
      const id = ids.get(conversation) ?? 0;
      let last: SpooledMessage | null = null;
      for (let isLast = false; !isLast; ) {
        const gathered: Gathered[] = [];
        let copies = 0;
        const found: readonly SpooledMessage[] = spool.messages(id, last, maxMessages);
        for (const message of found) {
          const own = spool.copies(id, message.messageId);
          gathered.push({ message, copies: own });
          copies += own.length;
          last = message;
          if (copies >= maxCopies) break;
        }
        isLast = gathered.length === found.length && found.length < maxMessages;
        yield { conversation, gathered, isLast };
      }
    }
  }

  function receiptsOf(messageId: string, copies: readonly SpooledCopy[]): OriginalCopyState[] {
    if (!hasStubs) return [];
    const names = new Set([messageId, ...copies.flatMap(({ tempUid }) => tempUid ?? [])]);
    return [...names].flatMap((name) => spool.stubs(name));
  }

  function complete(
    { message, copies }: Gathered,
    documents: ReadonlyMap<string, OriginalDocument>,
  ): OriginalMessage {
    const [first] = copies;
    const document = first === undefined ? undefined : documents.get(keyText(first.document));
    const states = copies.map(({ owner, status }) => ({ owner, status }));
    const receipts = receiptsOf(message.messageId, copies);
    return { ...message, copies: states, receipts, document: document ?? null };
  }

  async function fetch(pages: readonly GatheredPage[]): Promise<OriginalPage[]> {
    const keys = pages.flatMap(({ gathered }) =>
      gathered.flatMap(({ copies }): DocumentKey[] => (copies[0] === undefined ? [] : [copies[0].document])),
    );
    const documents = await database.messages(keys);
    return pages.map(({ conversation, gathered, isLast }) => ({
      conversation,
      messages: gathered.map((one) => complete(one, documents)),
      isLast,
    }));
  }

  return {
    async *conversations() {
      for (let after = 0; ; ) {
        const found = spool.conversations(after, conversationsAtOnce);
        for (const conversation of found) yield describe(conversation);
        if (found.length < conversationsAtOnce) return;
        after = found.at(-1)?.id ?? after;
      }
    },

    async *read(conversations) {
      let pages: GatheredPage[] = [];
      let messages = 0;
      for (const page of gather(conversations)) {
        if (pages.length > 0 && messages + page.gathered.length > maxMessages) {
          yield* await fetch(pages);
          [pages, messages] = [[], 0];
        }
        pages.push(page);
        messages += page.gathered.length;
      }
      if (pages.length > 0) yield* await fetch(pages);
    },
  };
}

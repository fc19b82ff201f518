import type {
  OriginalConversation,
  OriginalCopyState,
  OriginalGroup,
  OriginalListEntry,
  OriginalMessage,
  OriginalPage,
  OriginalSource,
} from "../src/conversations/source.ts";
import { type OriginalCopy, type OriginalDocument, readOriginalCopy } from "../src/documents/copy.ts";

/** Long after everything in these tests. */
export const now = 1_800_000_000_000;

/** A message as an original stores it in one timeline. */
export function copyOf(
  message: OriginalDocument & { readonly sender: string; readonly recipient: string },
  owner: string,
  status = 150,
): OriginalDocument {
  const isGroup = message.recipient.includes("group-");
  const conversWith = isGroup || owner === message.sender ? message.recipient : message.sender;
  return { app_id: "tilechat", ...message, timelineOf: owner, conversWith, status };
}

/** What lies in an original's database, as the tests have it in memory. */
export interface Originals {
  /** In any order, repeats among them. */
  readonly copies: readonly OriginalDocument[];
  readonly groups?: Readonly<Record<string, OriginalGroup>>;
  /** By conversation and user. */
  readonly entries?: Readonly<Record<string, Readonly<Record<string, OriginalListEntry>>>>;
  /** Messages of a page. @default 3 */
  readonly pageSize?: number;
}

interface Gathered {
  readonly conversation: OriginalConversation;
  readonly messages: readonly OriginalMessage[];
}

function mergedOf(copies: readonly (readonly [OriginalCopy, OriginalDocument])[]): OriginalMessage {
  const [[first]] = copies as [readonly [OriginalCopy, OriginalDocument]];
  return {
    messageId: first.messageId,
    timestamp: Math.min(...copies.map(([{ timestamp }]) => timestamp)),
    isTimeKnown: true,
    copies: copies.map(([{ owner, status }]): OriginalCopyState => ({ owner, status })),
    receipts: [],
    document: copies[0]?.[1] ?? null,
  };
}

function gather({ copies, groups = {}, entries = {} }: Originals): Gathered[] {
  const read = copies.flatMap((document) => {
    const copy = readOriginalCopy(document, { now, createdAt: null });
    return "conversation" in copy ? [[copy, document] as const] : [];
  });
  const byConversation = Map.groupBy(read, ([{ conversation }]) => conversation);
  const names = new Set([...byConversation.keys(), ...Object.keys(groups)]);
  return [...names].map((conversation) => {
    const byMessage = Map.groupBy(byConversation.get(conversation) ?? [], ([{ messageId }]) => messageId);
    const messages = [...byMessage.values()]
      .map(mergedOf)
      .sort((a, b) => a.timestamp - b.timestamp || (a.messageId < b.messageId ? -1 : 1));
    return {
      messages,
      conversation: {
        app: "tilechat",
        conversation,
        kind: conversation.includes(".") ? "direct" : "group",
        messages: messages.length,
        lastMessageId: messages.at(-1)?.messageId ?? null,
        group: groups[conversation] ?? null,
        entries: new Map(Object.entries(entries[conversation] ?? {})),
      },
    };
  });
}

/** An original's database in memory, in the plainest code. */
export function sourceOf(originals: Originals): OriginalSource {
  const gathered = gather(originals);
  const { pageSize = 3 } = originals;
  return {
    async *conversations() {
      for (const { conversation } of gathered) yield conversation;
    },
    async *read(wanted): AsyncIterable<OriginalPage> {
      for (const conversation of wanted) {
        const found = gathered.find((one) => one.conversation === conversation);
        const messages = found?.messages ?? [];
        for (let from = 0; from < messages.length || from === 0; from += pageSize) {
          const isLast = from + pageSize >= messages.length;
          yield { conversation, messages: messages.slice(from, from + pageSize), isLast };
        }
      }
    },
  };
}

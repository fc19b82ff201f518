import type { ConversationSummary } from "@chat21/client-sdk";
import { useSyncExternalStore } from "preact/compat";
import { shownName } from "../ui/foreign-text.ts";
import { useChat } from "./chat-context.ts";
import type { Names } from "./names.ts";

/** Returns the names of people, live. */
export function useNames(): Names {
  const { names } = useChat();
  useSyncExternalStore(names.subscribe, names.version);
  return names;
}

/** The title of a conversation: the person's name, or the group's. */
export function titleOf(names: Names, { kind, conversWith, title }: TitleFacts): string {
  return kind === "direct" ? names.of(conversWith, title) : shownName(title, conversWith);
}

type TitleFacts = Pick<ConversationSummary, "conversWith" | "kind" | "title">;

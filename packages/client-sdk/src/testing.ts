export type { Seams } from "./api/chat-client.ts";
export { connectWith } from "./api/connect.ts";
export type { Link, LinkOptions } from "./connection/link.ts";
export type { HeldConversation, Reducer } from "./conversation/kinds/reducer.ts";

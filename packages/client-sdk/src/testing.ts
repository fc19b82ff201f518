export { connectWith } from "./api/connect.ts";
export type { HeldConversation, Reducer } from "./conversation/kinds/reducer.ts";

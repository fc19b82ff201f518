import { messageSchema } from "../message.ts";
import { defineEventKind } from "./event-kind.ts";

/** A message. The event carries it as `message`, and has no `data`. */
export const message = defineEventKind({ code: 0, data: messageSchema });

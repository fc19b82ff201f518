/**
 * States of a message copy on the wire. `delivered` means "fanned out to this inbox", `received` that a device of the
 * receiver has it, `returnReceipt` that the sender was told so.
 */
export const messageStatus = {
  failed: -100,
  sending: 0,
  sent: 100,
  delivered: 150,
  received: 200,
  returnReceipt: 250,
  seen: 300,
} as const;

/** One of {@link messageStatus}. */
export type MessageStatus = (typeof messageStatus)[keyof typeof messageStatus];

/**
 * States of a message copy on the wire. `delivered`: fanned out to this inbox. `received`: a device of the receiver has
 * it. `returnReceipt`: the sender was told so.
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

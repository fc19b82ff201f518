/** A server under load. */
export interface Target {
  readonly name: string;
  /** `mqtt://host:port` or `ws://host:port/ws`. */
  readonly url: string;
  /** The address for one user, where there are several. @default {@link url} */
  urlOf?(user: string): string;
  /** Our processes, whose CPU and memory are reported in sum; none: they are not reported. */
  readonly pids: readonly number[];
  /** Other processes that the server needs, by name: their CPU is reported to explain the rest. */
  readonly peers: Readonly<Record<string, number>>;
  /** From the start of the process to the first ready answer; null when that is not measured. */
  readonly readyMs: number | null;
  /** The topic on which `sender` publishes messages for `recipient`. @default {@link outgoingTopic} */
  topic?(sender: string, recipient: string): string;
  /** Password of a user's CONNECT. */
  password(user: string): string;
  /**
   * The filter with which `user` receives messages of the others in the scenario. `from` null: it only sends. Answers
   * `null` for no subscription.
   */
  filter(user: string, from: FilterSource | null): string | null;
  /** Makes the group exist, where the server knows groups. */
  createGroup(group: string, members: readonly string[]): Promise<void>;
  /** Stops the processes that were started for this run. */
  close(): Promise<void>;
}

/** The source of a user's messages: another user, or everybody in a group. */
export type FilterSource = { readonly sender: string } | { readonly group: string };

/** The app of every run, the one that existing clients have built in. */
export const app = "tilechat";

/** P1 of the wire. */
export function outgoingTopic(sender: string, recipient: string): string {
  return `apps/${app}/outgoing/users/${sender}/messages/${recipient}/outgoing`;
}

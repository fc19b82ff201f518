/** A connection of a node. */
export interface NodeSession {
  readonly app: string;
  readonly user: string;
  readonly clientId: string;
}

/** A change of a node's users: a connection that comes, or a user whose last connection is gone (`clientId: null`). */
export type UserChange = readonly [app: string, user: string, clientId: string | null];

/**
 * A node has users of its own. An observer stands for every process beside RabbitMQ's MQTT plugin, the API too: it
 * delivers to users of nodes, and its own clients' connections are the plugin's.
 */
export type NodeRole = "node" | "observer";

/**
 * The words between nodes and observers; observers say nothing to observers. `hello` and `joined` go to all, every other
 * word goes to one of them. The words from one to another are numbered from 1 without a gap; `deliver` carries
 * bytes of its own (`parcels.ts`).
 */
export interface NodeWords {
  /** Somebody is there, and asks for the others' users. `formerly`: its name before, which is no more. */
  readonly hello: { readonly formerly: string | null; readonly role: NodeRole };
  /** The answer to `hello`: all users, `app/user`. */
  readonly table: { readonly users: readonly string[] };
  /** The node delivers from now on, and knows the users of these nodes. */
  readonly joined: { readonly peers: readonly string[] };
  readonly users: { readonly changes: readonly UserChange[] };
  /** These clients have connected to RabbitMQ's plugin: their connections to nodes end. */
  readonly arrived: { readonly sessions: readonly NodeSession[] };
  /** Everything up to this number is noted. */
  readonly noted: { readonly number: number };
  /** The node ends. */
  readonly bye: Record<never, never>;
}

/** A kind of word. */
export type NodeWordType = keyof NodeWords | "deliver";

/** Bytes of the number in front of every word to one node. */
export const numberBytes = 6;

/** A word with its number in front. */
export function numbered(number: number, body: Uint8Array): Buffer {
  const content = Buffer.allocUnsafe(numberBytes + body.length);
  content.writeUIntBE(number, 0, numberBytes);
  content.set(body, numberBytes);
  return content;
}

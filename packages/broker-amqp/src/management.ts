import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "@chat21/engine";
import { toOutsideId } from "@chat21/protocol";

/** Options of {@link createConnectionCloser}. */
export interface ConnectionCloserOptions {
  /** Of the management API, user and password included: `http://user:password@host:15672`. The user is an administrator. */
  readonly uri: string;
  readonly log: Log;
  /** @default "/" */
  readonly vhost?: string;
  /** Longest wait for one answer of the broker. A request that fails is sent once more. @default 5000 */
  readonly timeoutMs?: number;
  /**
   * How long the closer looks for connections that must exist but are not listed yet: the broker's lists are up to five
   * seconds old. @default 8000
   */
  readonly lagMs?: number;
}

/** The connections to close. */
export interface CloseRequest {
  readonly app: string;
  readonly user: string;
  /** Only this client's. @default all of the user's */
  readonly clientId?: string;
}

/** The outcome of a {@link CloseRequest}. */
export interface CloseOutcome {
  readonly closed: number;
  /** False: the broker could not be asked, or not everything was closed; the log says why. */
  readonly isComplete: boolean;
}

/** Closes MQTT connections whose tokens were revoked; RabbitMQ itself knows nothing of revocations. */
export interface ConnectionCloser {
  /**
   * Closes the user's connections: those whose subscriptions are the user's, and those that the broker names after the
   * user (RabbitMQ 4; 3.10 names all of them by what the client wrote). Never rejects. Repeating it is harmless. One at
   * a time; takes seconds, so nothing should wait for it.
   */
  close(request: CloseRequest): Promise<CloseOutcome>;
}

interface Connection {
  readonly name: string;
  readonly user?: string;
  readonly protocol?: string;
  readonly client_properties?: { readonly client_id?: string };
}

interface Binding {
  readonly destination: string;
  readonly routing_key: string;
}

const pageSize = 500;
/** A million connections; more pages than that are an answer that makes no sense. */
const maxPages = 2_000;
const lookEveryMs = 1_000;

/** Binds the closer to one broker, or cluster of brokers. Asks nothing of it yet. */
export function createConnectionCloser(options: ConnectionCloserOptions): ConnectionCloser {
  const { log, vhost = "/", lagMs = 8_000 } = options;
  const ask = createRequester(options);
  let previous: Promise<unknown> = Promise.resolve();

  /** Clients whose queues take messages of the user's inbox: the broker has checked that they may. */
  async function subscribers({ app, user }: CloseRequest): Promise<Set<string>> {
    const path = `exchanges/${encodeURIComponent(vhost)}/amq.topic/bindings/source?columns=destination,routing_key`;
    const bindings = (await ask(path)) as readonly Binding[];
    const own = bindings.filter(({ routing_key: key }) => key.startsWith(`apps.${app}.users.${user}.`));
    return new Set(
      own.flatMap(({ destination }) => /^mqtt-subscription-(.+)qos[01]$/.exec(destination)?.[1] ?? []),
    );
  }

  async function* connections(): AsyncGenerator<Connection> {
    for (let page = 1; page <= maxPages; page++) {
      const columns = "columns=name,user,protocol,client_properties.client_id";
      const answer = await ask(`connections?${columns}&page=${page}&page_size=${pageSize}`);
      const { items, page_count: pages } = answer as { items: readonly Connection[]; page_count: number };
      yield* items;
      if (page >= pages) return;
    }
  }

  /** Adds to `seen` the clients that are listed, and to `closed` the connections that it closed. */
  async function closeOnce(
    request: CloseRequest,
    wanted: ReadonlySet<string>,
    seen: Set<string>,
    closed: Set<string>,
  ): Promise<void> {
    const names: string[] = [];
    for await (const connection of connections()) {
      const clientId = connection.client_properties?.client_id ?? "";
      const isNamed = request.clientId === undefined && connection.user === toOutsideId(request.user);
      if (!connection.protocol?.includes("MQTT") || !(wanted.has(clientId) || isNamed)) continue;
      seen.add(clientId);
      names.push(connection.name);
    }
    // One after the other: there are few, and the broker has other things to do.
    for (const name of names.filter((name) => !closed.has(name))) {
      await ask(`connections/${encodeURIComponent(name)}`, "DELETE");
      closed.add(name);
    }
  }

  async function run(request: CloseRequest): Promise<CloseOutcome> {
    const { app, user, clientId } = request;
    const connectionsClosed = new Set<string>();
    const outcome = (isComplete: boolean) => ({ closed: connectionsClosed.size, isComplete });
    try {
      const wanted = clientId === undefined ? await subscribers(request) : new Set([clientId]);
      const seen = new Set<string>();
      const until = performance.now() + lagMs;
      for (;;) {
        await closeOnce(request, wanted, seen, connectionsClosed);
        if ([...wanted].every((id) => seen.has(id)) || performance.now() >= until) break;
        await delay(lookEveryMs);
      }
      log.info(
        { app, user, clientId, closed: connectionsClosed.size },
        "closed connections of revoked tokens",
      );
      return outcome(true);
    } catch (error) {
      const closed = connectionsClosed.size;
      log.warn({ app, user, clientId, closed, error }, "could not close all connections of revoked tokens");
      return outcome(false);
    }
  }

  return {
    close(request) {
      const outcome = previous.then(() => run(request));
      previous = outcome;
      return outcome;
    },
  };
}

type Request = (path: string, method?: "GET" | "DELETE") => Promise<unknown>;

function createRequester({ uri, timeoutMs = 5_000 }: ConnectionCloserOptions): Request {
  const base = new URL(uri);
  const login = [base.username, base.password].map(decodeURIComponent).join(":");
  const headers = {
    authorization: `Basic ${Buffer.from(login).toString("base64")}`,
    "x-reason": "the token was revoked",
  };
  // `fetch` refuses an address with a password, and its errors would show the password.
  base.username = "";
  base.password = "";
  const root = `${base.href.replace(/\/$/, "")}/api/`;

  async function once(path: string, method: string): Promise<unknown> {
    const answer = await fetch(root + path, {
      ...{ method, headers, redirect: "error", signal: AbortSignal.timeout(timeoutMs) },
    });
    if (method === "DELETE") {
      await answer.body?.cancel();
      // A connection that is already gone counts as closed.
      if (answer.ok || answer.status === 404) return undefined;
    } else if (answer.ok) {
      return answer.json();
    }
    throw new Error(`RabbitMQ's management API answered ${answer.status} to ${method} ${path}`);
  }

  return (path, method = "GET") => once(path, method).catch(() => once(path, method));
}

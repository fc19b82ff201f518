import { type Chat, connect } from "@chat21/client-sdk";
import { ChatError } from "@chat21/protocol";
import { OperatorError } from "@chat21/runtime";
import type { ServerAccess } from "./server-access.ts";

/** How long a command tries to reach the server. */
const connectTimeoutMs = 10_000;

/** Signs in as `user`. Throws `OperatorError` when no server answers or the server has another secret. */
export async function openChat(
  access: ServerAccess,
  user: string,
  options: { readonly fullname?: string; readonly reportDelivery?: boolean } = {},
): Promise<Chat> {
  // Here and not in the client, which would try again and then speak of a lost connection.
  let first: string | null = await access.token(user);
  const token = async () => {
    const next = first ?? (await access.token(user));
    first = null;
    return next;
  };
  try {
    return await connect({
      url: access.url,
      app: access.app,
      token,
      connectTimeoutMs,
      ...options,
    });
  } catch (cause) {
    throw await explainFailure(access.url, cause);
  }
}

async function answersHttp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

async function explainFailure(url: string, cause: unknown): Promise<unknown> {
  if (!(cause instanceof ChatError)) return cause;
  switch (cause.code) {
    case "unauthorized":
    case "forbidden":
      return new OperatorError(
        `${url} does not accept tokens of this data folder's secret; give the server's folder with --data-dir, or a token with --token`,
        { cause },
      );
    case "connection_lost":
    case "timeout":
      if (await answersHttp(url)) {
        return new OperatorError(
          `${url} answers, but takes no MQTT over WebSocket at /ws, as an API process behind RabbitMQ's MQTT plugin; give the address of a node, or of the proxy that clients connect to, with --url`,
          { cause },
        );
      }
      return new OperatorError(
        `no server answers at ${url}; start one with "chat21 start", or give its address with --url`,
        { cause },
      );
    default:
      return cause;
  }
}

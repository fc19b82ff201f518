import type { Clock } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { connectFailure, createOutgoingAgent, hasProxy, type Proxies } from "@chat21/runtime";
import { type Dispatcher, errors } from "undici";
import type { AddressPolicy } from "./address-policy.ts";
import { createGuardedConnector, type Resolve, requireAllowedHost } from "./guarded-connector.ts";
import { type AttemptResult, judgeAttempt, parseRetryAfter } from "./retry-policy.ts";
import type { SignatureHeaders } from "./signature-headers.ts";

/** Bounds of one request. */
export const requestLimits = {
  /** From its start to the end of the answer. */
  timeoutMs: 30_000,
  connectTimeoutMs: 10_000,
  /** Bytes of an answer's body that are read; then the connection is closed. */
  responseBytes: 64 * 1_024,
  /** Characters of an answer that is no success which go into the delivery log. */
  excerptCharacters: 200,
} as const;

/** One request. */
interface WebhookRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: SignatureHeaders;
}

/** Makes requests, as many at a time as it is asked to. Redirects are not followed, answers are read up to a bound. */
export interface HttpSender {
  /** Resolves in any case, after at most `requestLimits.timeoutMs`; an answer counts as soon as its status is there. */
  send(request: WebhookRequest): Promise<AttemptResult>;
  /** Ends the requests under way: they have no answer. */
  abort(): void;
  /** Closes all connections. Idempotent. */
  close(): Promise<void>;
}

/** Options of {@link createHttpSender}. */
export interface HttpSenderOptions {
  readonly policy: AddressPolicy;
  readonly clock: Clock;
  /** @default the system's resolver */
  readonly resolve?: Resolve;
  /** @default none */
  readonly proxies?: Proxies;
}

const noProxies: Proxies = { http: "", https: "", except: "" };

/** Makes a sender with its own pool of connections. */
export function createHttpSender(options: HttpSenderOptions): HttpSender {
  const { policy, clock, resolve, proxies = noProxies } = options;
  const { connectTimeoutMs, timeoutMs } = requestLimits;
  const agent = createOutgoingAgent({
    ...{ proxies, connectTimeoutMs },
    // As many connections as there are requests: the sender bounds these, and endpoints may share an origin.
    connections: null,
    connect: createGuardedConnector({
      policy,
      connectTimeoutMs,
      ...(resolve === undefined ? {} : { resolve }),
    }),
    // Our own timeout covers the whole request, so that tests control it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const underWay = new Set<AbortController>();
  return {
    async send({ url, body, headers }) {
      const startedAt = clock.elapsed();
      const controller = new AbortController();
      const stopTimer = clock.every(timeoutMs, () => controller.abort(new ChatError("timeout")));
      underWay.add(controller);
      try {
        if (hasProxy(proxies, new URL(url).protocol))
          await requireAllowedHost(options, new URL(url).hostname);
        const answer = await post(agent, url, body, headers, controller.signal);
        return {
          ...(await resultOf(answer, clock.now())),
          connected: true,
          durationMs: clock.elapsed() - startedAt,
        };
      } catch (thrown) {
        return {
          status: null,
          connected: isAfterConnecting(thrown),
          error: reasonOf(thrown),
          retryAfterMs: null,
          durationMs: clock.elapsed() - startedAt,
        };
      } finally {
        stopTimer();
        underWay.delete(controller);
      }
    },
    abort() {
      for (const controller of underWay) controller.abort(new ChatError("shutting_down"));
    },
    close: () => agent.destroy(),
  };
}

function post(
  agent: Dispatcher,
  url: string,
  body: string,
  signature: SignatureHeaders,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  return agent.request({
    origin,
    path: `${pathname}${search}`,
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": "Chat21-Webhooks/1", ...signature },
    body,
    signal,
  });
}

async function resultOf(
  answer: Dispatcher.ResponseData,
  now: number,
): Promise<Omit<AttemptResult, "connected" | "durationMs">> {
  const text = await readExcerpt(answer.body);
  const retryAfter = answer.headers["retry-after"];
  const status = answer.statusCode;
  return {
    status,
    error: judgeAttempt(status) === "delivered" ? null : describeAnswer(status, text),
    retryAfterMs: parseRetryAfter(Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, now),
  };
}

function describeAnswer(status: number, text: string): string {
  const redirect = status >= 300 && status < 400 ? ": redirects are not followed" : "";
  return `HTTP ${status}${redirect}${text === "" ? "" : ` ${text}`}`;
}

/** Reads the body up to the bound, so that the connection can be used again; keeps its beginning. */
async function readExcerpt(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const { responseBytes, excerptCharacters } = requestLimits;
  const start: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (bytes < excerptCharacters * 4) start.push(chunk.subarray(0, excerptCharacters * 4));
      bytes += chunk.length;
      // Leaving the loop destroys the stream and with it the connection.
      if (bytes > responseBytes) break;
    }
  } catch {
    // The status has come: a failure in the rest of the answer changes nothing.
  }
  const text = Buffer.concat(start).toString("utf8");
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, excerptCharacters);
}

/** Whether the request ended with a connection: by its own time, longer than that of connecting, or by the other side. */
function isAfterConnecting(thrown: unknown): boolean {
  if (thrown instanceof ChatError) return thrown.code === "timeout" || thrown.code === "shutting_down";
  return (
    thrown instanceof errors.SocketError ||
    (thrown as NodeJS.ErrnoException | undefined)?.code === "ECONNRESET"
  );
}

/** One line about why there was no answer. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof ChatError) return thrown.message;
  return connectFailure(thrown).slice(0, requestLimits.excerptCharacters);
}

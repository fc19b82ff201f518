import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A backend on loopback that keeps the webhooks it gets. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  /** Resolves with the first request that matches, past or future. Rejects after `timeoutMs`. */
  next(match: Match, timeoutMs?: number): Promise<ReceivedWebhook>;
  /** Resolves when `isEnough` returns true. It is asked after each request. Rejects after `timeoutMs`. */
  until(isEnough: (received: readonly ReceivedWebhook[]) => boolean, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts a receiver that answers every request with 200. @param port a free one by default */
export async function startWebhookReceiver(port = 0): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await readText(request));
    received.push({ headers: request.headers, path: request.url ?? "", body });
    response.end();
    for (const look of [...waiting]) look();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const poll = <Found>(look: () => Found | undefined, timeoutMs: number): Promise<Found> =>
    new Promise((resolve, reject) => {
      const again = () => {
        const found = look();
        if (found === undefined) return;
        waiting.delete(again);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(again);
        reject(new Error(`no such webhook in ${timeoutMs} ms; got ${received.length}`));
      }, timeoutMs);
      waiting.add(again);
      again();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    next: (match, timeoutMs = defaultTimeoutMs) => poll(() => received.find(match), timeoutMs),
    until: async (isEnough, timeoutMs = defaultTimeoutMs) => {
      await poll(() => (isEnough(received) ? true : undefined), timeoutMs);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A received request. */
export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies freely
  readonly body: any;
}

type Match = (webhook: ReceivedWebhook) => boolean;

const defaultTimeoutMs = 10_000;

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

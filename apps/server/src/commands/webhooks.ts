import type { DeliverySummary } from "@chat21/events";
import type { TestedEndpoint, WebhooksDescription } from "@chat21/http-api";
import { OperatorError } from "@chat21/runtime";
import { localTime, printJson, printLine, printTable } from "../output.ts";
import { accessServer, type ServerOptions } from "../server-access.ts";

/** Options of `chat21 webhooks log`. */
export interface ShowLogOptions extends ServerOptions {
  readonly endpoint?: string;
  readonly state?: string;
  readonly event?: string;
  readonly limit: string;
}

/** Lists the endpoints. */
export async function listEndpoints(options: ServerOptions): Promise<void> {
  const found = (await accessServer(options).operate("GET", "webhooks")) as WebhooksDescription;
  if (options.json === true) return printJson(found);
  if (!found.enabled)
    return printLine("there are no endpoints: set WEBHOOK_ENDPOINTS and start the server again");
  for (const endpoint of found.endpoints) printLine(endpoint);
  printLine(`events: ${found.events.join(", ")}`);
}

/** Shows deliveries, newest first. */
export async function showLog(options: ShowLogOptions): Promise<void> {
  const { endpoint, state, event, limit } = options;
  const wanted = Object.entries({ endpoint, state, event, limit }).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(wanted as [string, string][]);
  const rows = (await accessServer(options).operate(
    "GET",
    `webhooks/log?${query}`,
  )) as readonly DeliverySummary[];
  if (options.json === true) return rows.forEach(printJson);
  printTable(
    [
      { title: "time", value: (row) => localTime(row.createdAt) },
      { title: "state", value: (row) => row.state },
      { title: "tries", value: (row) => String(row.attempts) },
      { title: "answer", value: (row) => String(row.lastStatus ?? row.lastError ?? "") },
      { title: "event", value: (row) => row.event },
      { title: "endpoint", value: (row) => row.endpoint },
      { title: "id", value: (row) => row.id },
    ],
    rows,
  );
}

/** Has deliveries made again. */
export async function replay(
  ids: readonly string[],
  options: ServerOptions & { readonly deadOf?: string },
): Promise<void> {
  const { deadOf } = options;
  if ((ids.length === 0) === (deadOf === undefined)) {
    throw new OperatorError(
      "which deliveries? Give their ids (chat21 webhooks log shows them), or --dead-of <url>",
    );
  }
  const request = deadOf === undefined ? { ids } : { deadOf };
  const answer = (await accessServer(options).operate("POST", "webhooks/replay", request)) as {
    readonly replayed: number;
  };
  if (options.json === true) printJson(answer);
  else printLine(`to be delivered again: ${answer.replayed}`);
  if (deadOf === undefined) requireAll(ids, answer.replayed);
}

/** Has pending deliveries made dead letters. */
export async function skip(ids: readonly string[], options: ServerOptions): Promise<void> {
  const answer = (await accessServer(options).operate("POST", "webhooks/skip", { ids })) as {
    readonly skipped: number;
  };
  if (options.json === true) printJson(answer);
  else printLine(`skipped: ${answer.skipped}`);
  requireAll(ids, answer.skipped);
}

function requireAll(ids: readonly string[], done: number): void {
  const missing = new Set(ids).size - done;
  if (missing > 0) throw new OperatorError(`${missing} of these ids are unknown, or in another state`);
}

/** Has what waits for an endpoint tried now. */
export async function retry(endpoint: string, options: ServerOptions): Promise<void> {
  const server = accessServer(options);
  const { endpoints } = (await server.operate("GET", "webhooks")) as WebhooksDescription;
  if (!endpoints.includes(endpoint)) {
    throw new OperatorError("there is no such endpoint; chat21 webhooks list shows them");
  }
  const answer = (await server.operate("POST", "webhooks/retry", { endpoint })) as {
    readonly retried: number;
  };
  if (options.json === true) printJson(answer);
  else printLine(`to be tried now: ${answer.retried}`);
}

/** Sends a test event and shows the answer. Fails when the endpoint did not take it. */
export async function testEndpoint(url: string | undefined, options: ServerOptions): Promise<void> {
  const request = { app: options.app, ...(url === undefined ? {} : { url }) };
  const result = (await accessServer(options).operate("POST", "webhooks/test", request)) as TestedEndpoint;
  if (options.json === true) printJson(result);
  if (!result.delivered) {
    throw new OperatorError(`not delivered: ${result.error ?? `the endpoint answered ${result.status}`}`);
  }
  if (options.json !== true) printLine(`delivered (${result.status}), event ${result.id}`);
}

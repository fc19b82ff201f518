import type { Clock, Log, Metrics } from "@chat21/engine";
import type { StoredWebhookDelivery, WebhookOutcome } from "@chat21/events";
import { endpointLabel } from "@chat21/events";
import type { EndpointGate } from "./endpoint-gate.ts";
import type { HttpSender } from "./http-sender.ts";
import {
  type AttemptResult,
  isUnavailable,
  judgeAttempt,
  nextAttemptAt,
  type Verdict,
} from "./retry-policy.ts";

/** Tools of an attempt. */
export interface AttemptTools {
  readonly sender: HttpSender;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * Makes one request for a leased row, reports the result to the gate, and answers the outcome to write. Never rejects.
 */
export async function attemptDelivery(
  tools: AttemptTools,
  gate: EndpointGate,
  row: StoredWebhookDelivery,
  leaseUntil: number,
): Promise<WebhookOutcome> {
  const { sender, clock } = tools;
  const headers = gate.sign(row.id, row.body, clock.now());
  const result = await sender.send({ url: row.endpoint, body: row.body, headers });
  const verdict = judgeAttempt(result.status);
  const planned = outcomeOf(row, leaseUntil, result, verdict, clock.now(), tools.random());
  noteAtGate(tools, gate, row, result, verdict);
  const outcome =
    planned.state === "pending"
      ? { ...planned, nextAttemptAt: gate.planProbe(clock.now(), planned.nextAttemptAt, result.retryAfterMs) }
      : planned;
  report(tools, row, outcome, result);
  return outcome;
}

function outcomeOf(
  row: StoredWebhookDelivery,
  leaseUntil: number,
  result: AttemptResult,
  verdict: Verdict,
  now: number,
  random: number,
): WebhookOutcome {
  const { status, error } = result;
  const base = { id: row.id, leaseUntil, nextAttemptAt: now, status, error, at: now };
  if (verdict === "delivered") return { ...base, state: "delivered" };
  if (verdict === "gone") return { ...base, state: "dead" };
  const next = nextAttemptAt(row, result, now, random);
  return next === null ? { ...base, state: "dead" } : { ...base, state: "pending", nextAttemptAt: next };
}

function noteAtGate(
  { clock, log }: AttemptTools,
  gate: EndpointGate,
  row: StoredWebhookDelivery,
  result: AttemptResult,
  verdict: Verdict,
): void {
  const { status, error, retryAfterMs } = result;
  const endpoint = endpointLabel(row.endpoint);
  if (verdict === "gone" && gate.noteGone(row.id)) {
    log.warn({ endpoint, id: row.id }, "webhook endpoint answered 410: not used until a restart or a replay");
  }
  const change =
    verdict === "retry"
      ? gate.noteFailure(clock.elapsed(), retryAfterMs, isUnavailable(result))
      : gate.noteAnswer();
  if (change === "failing") log.warn({ endpoint, status, error }, "webhook endpoint fails");
  if (change === "recovered") log.info({ endpoint, status }, "webhook endpoint works again");
}

const outcomeLabels = { delivered: "delivered", pending: "retry", dead: "dead" } as const;

function report(
  { log, metrics }: AttemptTools,
  row: StoredWebhookDelivery,
  { state, status, error, at, nextAttemptAt }: WebhookOutcome,
  { durationMs }: AttemptResult,
): void {
  metrics.count("webhook_attempts", { outcome: outcomeLabels[state] });
  metrics.observe("webhook_seconds", durationMs / 1_000);
  if (state === "delivered") metrics.observe("webhook_age_seconds", Math.max(0, at - row.queuedAt) / 1_000);
  const fields = { endpoint: endpointLabel(row.endpoint), id: row.id, event: row.event, status, error };
  if (state === "dead") log.warn({ ...fields, attempts: row.attempts + 1 }, "webhook is a dead letter");
  if (state === "pending") log.debug({ ...fields, nextAttemptAt }, "webhook will be tried again");
}

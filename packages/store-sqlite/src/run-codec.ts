import type { EventRecord, Run, RunResult } from "@chat21/engine";

/** Fields of one event in an {@link EncodedRun}, in this order. */
type EncodedFields = readonly [
  type: EventRecord["type"],
  sender: string,
  clientMessageId: string | null,
  messageId: string,
  timestamp: number,
  committedAt: number,
  body: string,
  tempUid: string | null,
  hiddenFor: string | null,
  listed: 0 | 1,
];

const fieldsPerEvent = 10 satisfies EncodedFields["length"];

/**
 * A run on its way to the writer: one flat array with the stored fields only. Its structured clone costs three quarters
 * of a clone of the records themselves, and carries nothing by accident.
 */
export interface EncodedRun {
  readonly app: string;
  readonly conversation: string;
  readonly expectedHead: number;
  readonly kind: Run["kind"];
  readonly transient: boolean;
  readonly group: Run["group"];
  readonly members: Run["members"];
  readonly amendments: Run["amendments"];
  readonly fields: readonly EncodedFields[number][];
}

/** `n` > 0: committed, n events; 0: stale; a pair: a repeat, with the index in the run and the event that exists. */
export type EncodedRunResult = number | readonly [index: number, existing: EventRecord];

/** Flattens a run. */
export function encodeRun(run: Run): EncodedRun {
  const fields: EncodedFields[number][] = [];
  for (const event of run.events) {
    fields.push(
      event.type,
      event.sender,
      event.clientMessageId,
      event.messageId,
      event.timestamp,
      event.committedAt,
      event.body,
      event.tempUid,
      event.hiddenFor,
      event.listed ? 1 : 0,
    );
  }
  const { app, conversation, expectedHead, kind, transient, group, members, amendments } = run;
  return { app, conversation, expectedHead, kind, transient, group, members, amendments, fields };
}

/** The events of a run; the conversation and the numbers are the run's. */
export function decodeEvents({ app, conversation, expectedHead, fields }: EncodedRun): EventRecord[] {
  const events: EventRecord[] = [];
  for (let at = 0; at < fields.length; at += fieldsPerEvent) {
    const [
      type,
      sender,
      clientMessageId,
      messageId,
      timestamp,
      committedAt,
      body,
      tempUid,
      hiddenFor,
      listed,
    ] = fields.slice(at, at + fieldsPerEvent) as unknown as EncodedFields;
    events.push({
      app,
      conversation,
      seq: expectedHead + 1 + events.length,
      type,
      sender,
      clientMessageId,
      messageId,
      timestamp,
      committedAt,
      body,
      tempUid,
      hiddenFor,
      listed: listed === 1,
      overlay: null,
    });
  }
  return events;
}

/** The result as the port has it. */
export function decodeRunResult(encoded: EncodedRunResult): RunResult {
  if (typeof encoded !== "number") {
    return { status: "repeat", committed: 0, index: encoded[0], existing: encoded[1] };
  }
  return encoded > 0 ? { status: "committed", committed: encoded } : { status: "stale", committed: 0 };
}

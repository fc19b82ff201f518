/**
 * Entry of the worker threads. Runs from source (Node strips the types), beside the built package, and beside any
 * bundle it was copied next to; therefore nothing below it imports another package at run time, types only.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { toFailure } from "./worker/failure.ts";
import { serveReader } from "./worker/serve-reader.ts";
import { type Served, serveWriter } from "./worker/serve-writer.ts";
import type { WorkerGreeting, WorkerRequest, WorkerSetup } from "./worker-protocol.ts";

const setup = workerData as WorkerSetup;

function listen(port: NonNullable<typeof parentPort>, served: Served): void {
  port.on("message", (first: readonly WorkerRequest[] | "close") => {
    const requests: WorkerRequest[] = [];
    let closing = false;
    // Everything that has arrived by now goes into one transaction.
    for (let next: { message: typeof first } | undefined = { message: first }; next !== undefined; ) {
      if (next.message === "close") closing = true;
      else requests.push(...next.message);
      next = receiveMessageOnPort(port);
    }
    if (requests.length > 0) port.postMessage(served.answer(requests));
    if (!closing) return;
    served.close();
    port.close();
  });
}

function greet(port: NonNullable<typeof parentPort>): void {
  try {
    const served = setup.role === "writer" ? serveWriter(setup) : serveReader(setup);
    listen(port, served);
    port.postMessage({ epoch: served.epoch } satisfies WorkerGreeting);
  } catch (thrown) {
    port.postMessage({ failure: toFailure(thrown, setup.path) } satisfies WorkerGreeting);
    port.close();
  }
}

if (parentPort !== null) greet(parentPort);

import type { WorkerAnswer, WorkerRequest } from "../worker-protocol.ts";
import { toFailure } from "./failure.ts";

type Call = (...args: readonly unknown[]) => unknown;

/** Whether a request names one of the methods. */
export function hasMethod(methods: object, [, method]: WorkerRequest): boolean {
  return Object.hasOwn(methods, method);
}

/** Calls the method that a request names. The calling side is typed by the same interface: see `worker-link.ts`. */
export function invoke(methods: object, [, method, args]: WorkerRequest): unknown {
  return (methods as Readonly<Record<string, Call>>)[method]?.(...args);
}

/** As {@link invoke}, but an error that is thrown becomes the answer. */
export function tryToInvoke(methods: object, request: WorkerRequest, path: string): WorkerAnswer {
  try {
    return [request[0], null, invoke(methods, request)];
  } catch (thrown) {
    return [request[0], toFailure(thrown, path), null];
  }
}

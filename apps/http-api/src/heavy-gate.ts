import type { ServerResponse } from "node:http";
import { ChatError, limits } from "@chat21/protocol";

/** How long a request beyond the limit is told to wait. */
const retryAfterMs = 1_000;

/** Limits of heavy requests for one key. */
export interface HeavyLimits {
  /** At the same time. */
  readonly running: number;
  /** Waiting for their turn. */
  readonly waiting: number;
}

/** Gate for expensive requests: few of one user run at the same time, and the others wait in order. */
export interface HeavyGate {
  /**
   * Resolves when the request may run: `true`, or `false` for one whose reader has left meanwhile. Throws
   * `rate_limited` when too many wait already.
   */
  enter(key: string, response: ServerResponse): Promise<boolean>;
  /**
   * Called when the work for a request is done: its place is free as soon as its reader has the whole answer or is
   * gone. No effect for requests that never got a place.
   */
  leave(response: ServerResponse): void;
}

interface Queue {
  running: number;
  /** First come, first served. */
  readonly waiting: Map<ServerResponse, (mayRun: boolean) => void>;
}

const usual: HeavyLimits = { running: limits.heavyRequests, waiting: limits.heavyWaiting };

/** Makes a gate; it keeps no state for keys without a request under way. */
export function createHeavyGate({ running, waiting }: HeavyLimits = usual): HeavyGate {
  const queues = new Map<string, Queue>();
  const places = new WeakMap<ServerResponse, () => void>();

  const take = (key: string, queue: Queue, response: ServerResponse) => {
    queue.running++;
    queues.set(key, queue);
    places.set(response, () => {
      queue.running--;
      const [next] = queue.waiting;
      if (next !== undefined) next[1](true);
      else if (queue.running === 0) queues.delete(key);
    });
  };

  const wait = (key: string, queue: Queue, response: ServerResponse) =>
    new Promise<boolean>((resolve) => {
      const settle = (mayRun: boolean) => {
        response.off("close", giveUp);
        queue.waiting.delete(response);
        if (mayRun) take(key, queue, response);
        resolve(mayRun);
      };
      const giveUp = () => settle(false);
      response.once("close", giveUp);
      queue.waiting.set(response, settle);
    });

  return {
    async enter(key, response) {
      if (response.closed) return false;
      const queue: Queue = queues.get(key) ?? { running: 0, waiting: new Map() };
      if (queue.running >= running) {
        if (queue.waiting.size < waiting) return wait(key, queue, response);
        throw new ChatError("rate_limited", "too many large requests of this user wait already", {
          retryAfterMs,
        });
      }
      take(key, queue, response);
      return true;
    },
    leave(response) {
      const free = places.get(response);
      if (free === undefined) return;
      places.delete(response);
      if (response.closed) free();
      else response.once("close", free);
    },
  };
}

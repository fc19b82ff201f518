import { runId } from "../load/message-template.ts";
import { RawClient } from "../load/raw-client.ts";
import { readProcessCpu } from "../measure/process-cpu.ts";
import { readResidentBytes } from "../measure/process-memory.ts";
import type { Target } from "../targets/target.ts";

/** The cost of idle connections. */
export interface IdleResult {
  readonly connections: number;
  readonly dropped: number;
  /**
   * Growth of the server's resident memory per connection, including growth of its heap that happens once and stays;
   * null when its process is not known.
   */
  readonly kibPerConnection: number | null;
  /** The same for as many further connections on top of the first ones: the memory of a connection itself. */
  readonly kibPerFurtherConnection: number | null;
  /** CPU of the server while nothing happens on the first connections, seconds per minute. */
  readonly idleCpuSecondsPerMinute: number | null;
}

const atOnce = 50;
const nobody = { sender: "nobody" } as const;

/** Connects and subscribes `connections` users, watches the server for `measureMs`, and does both once more. */
export async function runIdle(
  target: Target,
  options: { readonly connections: number; readonly measureMs: number },
): Promise<IdleResult> {
  const crowd = new Crowd(target);
  try {
    // A few first, so that memory which the server takes once, at its first connection, is not counted for all.
    await crowd.grow(atOnce);
    const first = await measureGrowth(target.pids, crowd, options);
    const further = await measureGrowth(target.pids, crowd, options);
    return {
      connections: options.connections,
      dropped: crowd.dropped,
      kibPerConnection: first?.kib ?? null,
      kibPerFurtherConnection: further?.kib ?? null,
      idleCpuSecondsPerMinute: first?.cpuSecondsPerMinute ?? null,
    };
  } finally {
    crowd.close();
  }
}

async function measureGrowth(
  pids: readonly number[],
  crowd: Crowd,
  { connections, measureMs }: { readonly connections: number; readonly measureMs: number },
): Promise<{ readonly kib: number; readonly cpuSecondsPerMinute: number } | null> {
  const before = readResidentBytes(...pids);
  await crowd.grow(connections);
  const cpuBefore = readProcessCpu(...pids).total;
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  if (pids.length === 0) return null;
  const cpuSeconds = readProcessCpu(...pids).total - cpuBefore;
  return {
    kib: Number(((readResidentBytes(...pids) - before) / 1_024 / connections).toFixed(1)),
    cpuSecondsPerMinute: Number(((cpuSeconds * 60_000) / measureMs).toFixed(2)),
  };
}

/** Users that are connected and subscribed. */
class Crowd {
  readonly #target: Target;
  readonly #clients: RawClient[] = [];
  #size = 0;
  #dropped = 0;
  #isClosing = false;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Connections that the server has closed. */
  get dropped(): number {
    return this.#dropped;
  }

  async grow(by: number): Promise<void> {
    for (let left = by; left > 0; left -= atOnce) {
      await Promise.all(Array.from({ length: Math.min(left, atOnce) }, () => this.#join(this.#size++)));
    }
  }

  close(): void {
    this.#isClosing = true;
    for (const client of this.#clients) client.close();
  }

  async #join(index: number): Promise<void> {
    const user = `${runId}-i${index}`;
    const client = await RawClient.connect(
      { url: this.#target.url, clientId: user, password: this.#target.password(user) },
      {
        handlePublish() {},
        handlePuback() {},
        handleClose: () => {
          if (!this.#isClosing) this.#dropped++;
        },
      },
    );
    this.#clients.push(client);
    const filter = this.#target.filter(user, nobody);
    if (filter !== null) await client.subscribe(filter, 1);
  }
}

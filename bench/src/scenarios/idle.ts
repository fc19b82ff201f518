import { runId } from "../load/message-template.ts";
import { RawClient } from "../load/raw-client.ts";
import { readProcessCpu, readResidentBytes } from "../measure/process-cpu.ts";
import type { Target } from "../targets/target.ts";

/** What idle connections cost. */
export interface IdleResult {
  readonly connections: number;
  readonly dropped: number;
  /** Growth of the server's resident memory per connection; null when its process is not known. */
  readonly kibPerConnection: number | null;
  /** CPU of the server while nothing happens, seconds per minute. */
  readonly idleCpuSecondsPerMinute: number | null;
}

const atOnce = 50;
const nobody = { sender: "nobody" } as const;

/** Connects and subscribes `connections` users, then watches the server for `measureMs` while they do nothing. */
export async function runIdle(
  target: Target,
  options: { readonly connections: number; readonly measureMs: number },
): Promise<IdleResult> {
  const { connections, measureMs } = options;
  const clients: RawClient[] = [];
  let dropped = 0;
  let closing = false;
  const join = async (index: number) => {
    const user = `${runId}-i${index}`;
    const client = await RawClient.connect(
      { url: target.url, clientId: user, password: target.password(user) },
      {
        handlePublish() {},
        handlePuback() {},
        handleClose: () => {
          if (!closing) dropped++;
        },
      },
    );
    clients.push(client);
    const filter = target.filter(user, nobody);
    if (filter !== null) await client.subscribe(filter, 1);
  };
  // A first few, so that what the server makes once is not charged to the connections.
  for (let i = 0; i < atOnce; i++) await join(i);
  const before = target.pid === null ? null : readResidentBytes(target.pid);
  for (let from = atOnce; from < connections + atOnce; from += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, i) => join(from + i)));
  }
  const cpuBefore = target.pid === null ? null : readProcessCpu(target.pid).total;
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  const measured = clients.length - atOnce;
  const result: IdleResult = {
    connections: measured,
    dropped,
    kibPerConnection:
      target.pid === null || before === null
        ? null
        : Number(((readResidentBytes(target.pid) - before) / 1_024 / measured).toFixed(1)),
    idleCpuSecondsPerMinute:
      target.pid === null || cpuBefore === null
        ? null
        : Number((((readProcessCpu(target.pid).total - cpuBefore) * 60_000) / measureMs).toFixed(2)),
  };
  closing = true;
  for (const client of clients) client.close();
  return result;
}

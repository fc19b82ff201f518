type Close = () => Promise<unknown>;

const closers: Close[] = [];
let listens = false;

/**
 * Calls `close` when this run is interrupted, the latest one first: services are processes that outlive this one.
 * Answers the function that cancels it.
 */
export function closeOnSignal(close: Close): () => void {
  closers.push(close);
  if (!listens) {
    listens = true;
    process.once("SIGINT", closeAll);
    process.once("SIGTERM", closeAll);
  }
  return () => {
    const at = closers.indexOf(close);
    if (at >= 0) closers.splice(at, 1);
  };
}

async function closeAll(): Promise<void> {
  while (closers.length > 0) {
    try {
      await closers.pop()?.();
    } catch (error) {
      process.stderr.write(`bench: ${String(error)}\n`);
    }
  }
  process.exit(130);
}

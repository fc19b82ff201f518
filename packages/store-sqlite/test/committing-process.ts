import { writeSync } from "node:fs";
import { openSqliteStore } from "../src/index.ts";
import { directRun } from "./sample-runs.ts";

// Commits without end in several conversations at once, and writes down what was acknowledged. Meant to be killed.
const [path = "", writers = "1"] = process.argv.slice(2);
const store = await openSqliteStore({ path });
const heads = new Map(
  (await store.conversations.heads("app", "ann", 100)).map((one) => [one.conversation, one.head]),
);

/** Synchronous: what the parent reads was done before the kill. A pipe that is full is tried again. */
function report(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
    }
  }
}

async function write(writer: number): Promise<never> {
  const bob = `bob-${writer}`;
  for (let head = heads.get(`ann.${bob}`) ?? 0; ; ) {
    const count = 1 + (head % 5);
    await store.events.commit([directRun(bob, head, count, `{"text":"${"x".repeat(head % 3_000)}"}`)]);
    head += count;
    report(`${bob} ${head}`);
    if (head % 2 === 0) {
      const refs = Array.from({ length: count }, (_, index) => ({ seq: head - index }));
      store.events.markDispatched(refs.map(({ seq }) => ({ app: "app", conversation: `ann.${bob}`, seq })));
      for (const { seq } of refs) report(`marked ${bob} ${seq}`);
    }
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));

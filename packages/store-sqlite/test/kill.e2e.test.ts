import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkSqlite } from "../src/index.ts";
import { directRun } from "./sample-runs.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const folder = useTemporaryFolder();
const script = fileURLToPath(new URL("./committing-process.ts", import.meta.url));
const writers = 6;

/** Lets a process commit until it has said `lines` lines, kills it with SIGKILL, and answers all it has said. */
async function commitAndKill(path: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, ["--conditions=@chat21/source", script, path, String(writers)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (said.split("\n").length > lines) child.kill("SIGKILL");
  });
  const [code, signal] = await once(child, "close");
  expect([code, signal]).toEqual([null, "SIGKILL"]);
  return said.split("\n").slice(0, -1);
}

it("holds everything that was acknowledged, once and in order, however often the process is killed", async () => {
  const path = await folder.path();
  const acknowledged = new Map<string, number>();
  const marked = new Set<string>();

  for (const lines of [3, 200, 1_500, 40, 900, 2_500]) {
    for (const line of await commitAndKill(path, lines)) {
      const [first = "", second = "", third = ""] = line.split(" ");
      if (first === "marked") marked.add(`ann.${second} ${third}`);
      else acknowledged.set(first, Math.max(Number(second), acknowledged.get(first) ?? 0));
    }

    const store = await folder.open();
    const undispatched = await store.events.undispatched(1_000_000, Number.MAX_SAFE_INTEGER);
    const open = new Set(undispatched.map(({ conversation, seq }) => `${conversation} ${seq}`));
    for (const { conversation, head } of await store.conversations.heads("app", "ann", 100)) {
      const bob = conversation.slice("ann.".length);
      expect(head).toBeGreaterThanOrEqual(acknowledged.get(bob) ?? 0);
      const events = [];
      for (let after = 0; after < head; after += 1_000) {
        events.push(
          ...(await store.events.read({ app: "app", conversation, after, limit: 1_000, from: "oldest" })),
        );
      }
      const written = directRun(bob, 0, head).events;
      expect(events.map(({ messageId, seq }) => [messageId, seq])).toEqual(
        written.map(({ messageId, seq }) => [messageId, seq]),
      );
      // Nothing that was never marked may be taken for dispatched.
      const lost = written.filter(
        ({ seq }) => !marked.has(`${conversation} ${seq}`) && !open.has(`${conversation} ${seq}`),
      );
      expect(lost).toEqual([]);
    }
    expect(acknowledged.size).toBeGreaterThan(0);
    await store.close();
    expect(checkSqlite(path).problems).toEqual([]);
  }
}, 120_000);

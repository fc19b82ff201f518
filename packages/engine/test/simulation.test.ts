import { conversationIdOf } from "@chat21/protocol";
import {
  createManualClock,
  createMemoryDisk,
  createMemoryStore,
  type ManualClock,
  type MemoryDisk,
} from "@chat21/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventRecord, Fact } from "../src/index.ts";
import { type SimulatedProcess, startProcess } from "./simulated-process.ts";

const app = "tilechat";
const admin = { app, user: "boss", admin: true };

/** A command of the scenario; `key` names it, and is its idempotency key where the wire has one. */
interface Command {
  readonly key: string;
  readonly sender: string;
  readonly recipient: string;
  readonly group?: "create" | "join" | "leave";
}

const directCommands: readonly Command[] = [
  { key: "a1", sender: "ann", recipient: "bob" },
  { key: "a2", sender: "ann", recipient: "bob" },
  { key: "b1", sender: "bob", recipient: "ann" },
  { key: "a3", sender: "ann", recipient: "cid" },
  { key: "a4", sender: "ann", recipient: "bob" },
];

const groupCommands: readonly Command[] = [
  { key: "g0", sender: "ann", recipient: "group-x", group: "create" },
  { key: "g1", sender: "ann", recipient: "group-x" },
  { key: "g2", sender: "bob", recipient: "group-x" },
  { key: "g3", sender: "ann", recipient: "group-x", group: "join" },
  { key: "g4", sender: "cid", recipient: "group-x" },
  { key: "g5", sender: "ann", recipient: "group-x", group: "leave" },
  { key: "g6", sender: "ann", recipient: "group-x" },
];

async function perform({ engine }: SimulatedProcess, command: Command): Promise<void> {
  const actor = { app, user: command.sender, admin: false };
  switch (command.group) {
    case "create":
      await engine.groups.create(actor, { id: command.recipient, name: "X", members: ["ann", "bob"] });
      return;
    case "join":
      await engine.groups.addMember(admin, command.recipient, "cid").catch(ignore("already_member"));
      return;
    case "leave":
      await engine.groups.removeMember(admin, command.recipient, "cid").catch(ignore("not_member"));
      return;
    default: {
      const body = JSON.stringify({ text: command.key, client_message_id: command.key });
      await engine.messages.send(actor, { recipient: command.recipient, body });
    }
  }
}

function ignore(code: string) {
  return (thrown: { code?: string }) => {
    if (thrown.code !== code) throw thrown;
  };
}

/** Messages go out together, so that they share batches; a change of the group waits for what came before it. */
async function inTurns(
  commands: readonly Command[],
  run: (command: Command) => Promise<void>,
): Promise<void> {
  const open: Promise<void>[] = [];
  for (const command of commands) {
    if (command.group !== undefined) await Promise.all(open);
    open.push(run(command));
    if (command.group !== undefined) await open.at(-1);
  }
  await Promise.all(open);
}

/** Runs the event loop until nothing moves any more, letting retries and sweeps fall due. */
async function quiesce(clock: ManualClock, rounds = 6): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 25; i++) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(2_500);
  }
}

async function logOf(disk: MemoryDisk, sender: string, recipient: string): Promise<readonly EventRecord[]> {
  const conversation = conversationIdOf(sender, recipient);
  return createMemoryStore({ disk }).events.read({ app, conversation, limit: 1_000, from: "oldest" });
}

function textOf(event: EventRecord): string | undefined {
  return event.type === "message" ? (JSON.parse(event.body) as { text?: string }).text : undefined;
}

/** One run: commands in order, the process dies at `killAt`, a second one takes over and the rest is sent again. */
async function runWithCrash(commands: readonly Command[], killAt: number) {
  const disk = createMemoryDisk();
  const clock = createManualClock();
  const facts: Fact[] = [];
  const acknowledged = new Set<string>();
  const heardBeforeAck = new Map<string, boolean>();

  // A slow sink: the next batches commit, and clear marks, while one is being handed over.
  const hold = async (point: string) => {
    if (point.startsWith("sink"))
      for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const first = await startProcess({ disk, clock, facts, killAt, hold });
  const starting = first.engine.start();
  await quiesce(clock, 1);
  void starting;
  const acknowledge = ({ key }: Command) => {
    acknowledged.add(key);
    heardBeforeAck.set(
      key,
      first.deliveries.some(({ payload }) => payload.includes(`"${key}"`)),
    );
  };
  void inTurns(commands, (command) => perform(first, command).then(() => acknowledge(command)));
  await quiesce(clock);
  const died = first.isDead();
  first.kill();

  const second = await startProcess({ disk, clock, facts });
  await second.engine.start();
  for (const command of commands) if (!acknowledged.has(command.key)) await perform(second, command);
  await quiesce(clock);
  await second.engine.drain();
  await second.store.close();
  return { disk, facts, acknowledged, heardBeforeAck, died };
}

async function checkHistory(
  disk: MemoryDisk,
  commands: readonly Command[],
  facts: readonly Fact[],
): Promise<void> {
  const handedOver = new Set(
    facts.flatMap((fact) => (fact.kind === "message" ? [fact.event.messageId] : [])),
  );
  for (const { sender, recipient } of commands) {
    const log = await logOf(disk, sender, recipient);

    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
    const timestamps = log.map(({ timestamp }) => timestamp);
    expect(timestamps).toEqual([...new Set(timestamps)].sort((a, b) => a - b));

    const messages = commands.filter(
      (other) => other.group === undefined && sameConversation(other, { sender, recipient }),
    );
    for (const author of new Set(messages.map((message) => message.sender))) {
      const expected = messages.filter((message) => message.sender === author).map(({ key }) => key);
      const stored = log.filter((event) => event.sender === author).flatMap((event) => textOf(event) ?? []);
      expect(stored).toEqual(expected);
    }
    for (const event of log) if (event.type === "message") expect(handedOver).toContain(event.messageId);
  }
  expect(disk.undispatched.size).toBe(0);
}

function sameConversation(
  a: { sender: string; recipient: string },
  b: { sender: string; recipient: string },
): boolean {
  return conversationIdOf(a.sender, a.recipient) === conversationIdOf(b.sender, b.recipient);
}

describe.each([
  ["direct messages", directCommands],
  ["a group's life", groupCommands],
])("A process that dies during %s", (_name, commands) => {
  it("loses nothing acknowledged, stores everything once and in order, at every await point", async () => {
    let killAt = 1;
    for (; ; killAt++) {
      const { disk, facts, heardBeforeAck, died } = await runWithCrash(commands, killAt);

      await checkHistory(disk, commands, facts);
      for (const [key, heard] of heardBeforeAck) {
        const command = commands.find((candidate) => candidate.key === key);
        if (command?.group === undefined) expect(heard).toBe(true);
      }
      if (!died) break;
    }
    expect(killAt).toBeGreaterThan(15);
  }, 120_000);
});

describe("Two writers on one store", () => {
  it("agree on one order whatever the interleaving, and when one of them dies", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.option(fc.integer({ min: 5, max: 120 }), { nil: undefined }),
        async (scheduler, killAt) => {
          const disk = createMemoryDisk();
          const clock = createManualClock();
          const facts: Fact[] = [];
          const hold = (point: string) => scheduler.schedule(Promise.resolve(), point);
          const options = { disk, clock, facts, hold };
          const one = await startProcess(killAt === undefined ? options : { ...options, killAt });
          const two = await startProcess(options);
          const acknowledged = new Set<string>();
          const sendAll = async (process: SimulatedProcess, mark: string) => {
            const keys = Array.from({ length: 6 }, (_, i) => `${mark}${i}`);
            const recipient = mark === "ann" ? "bob" : "ann";
            await Promise.all(
              keys.map((key) =>
                perform(process, { key, sender: mark, recipient }).then(() => acknowledged.add(key)),
              ),
            );
          };

          void sendAll(one, "ann");
          const finished = sendAll(two, "bob");
          await Promise.race([drive(scheduler, clock), finished.then(() => drive(scheduler, clock))]);
          await finished;
          one.kill();
          await drive(scheduler, clock);

          const survivor = await startProcess({ disk, clock, facts });
          await survivor.engine.start();
          await survivor.engine.drain();
          const log = await logOf(disk, "ann", "bob");
          expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
          const texts = log.flatMap((event) => textOf(event) ?? []);
          expect(new Set(texts).size).toBe(texts.length);
          expect(texts).toEqual(expect.arrayContaining([...acknowledged]));
          for (const author of ["ann", "bob"]) {
            const own = texts.filter((text) => text.startsWith(author));
            expect(own).toEqual([...own].sort());
          }
          const handedOver = new Set(
            facts.flatMap((fact) => (fact.kind === "message" ? [fact.event.messageId] : [])),
          );
          for (const { messageId } of log) expect(handedOver).toContain(messageId);
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);
});

/** Lets held-up points go in the scheduler's order until nothing is held up any more. */
async function drive(scheduler: fc.Scheduler, clock: ManualClock): Promise<void> {
  for (let idle = 0; idle < 8; ) {
    if (scheduler.count() > 0) {
      await scheduler.waitOne();
      idle = 0;
    } else idle++;
    await new Promise((resolve) => setImmediate(resolve));
    if (idle > 4) await clock.advance(300);
  }
}

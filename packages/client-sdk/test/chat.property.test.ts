import type { DeliveryFate } from "@chat21/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Chat } from "../src/index.ts";
import { settle } from "./support/manual-clock.ts";
import type { TestServer } from "./support/test-server.ts";
import { openChat, openServer, Recorder } from "./support/world.ts";

type Step =
  | { readonly kind: "send"; readonly from: "alice" | "bob" }
  | { readonly kind: "drop" | "away" | "back" | "wait" }
  | { readonly kind: "sendFate"; readonly fate: "take" | "lose" }
  | { readonly kind: "deliveryFate"; readonly fate: DeliveryFate };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant("send" as const), from: fc.constantFrom("alice", "bob") }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("drop", "away", "back", "back", "wait", "wait", "wait") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("sendFate" as const),
      fate: fc.constantFrom("take" as const, "take" as const, "lose" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("deliveryFate" as const),
      fate: fc.constantFrom<DeliveryFate>("deliver", "deliver", "lose", "twice"),
    }),
  },
);

async function apply(step: Step, server: TestServer, clients: Record<"alice" | "bob", Chat>, text: string) {
  switch (step.kind) {
    case "send":
      void clients[step.from].send(step.from === "alice" ? "bob" : "alice", { text });
      return;
    case "sendFate":
      server.edge.loses = ({ topic }) => step.fate === "lose" && topic.endsWith("/outgoing");
      return;
    case "deliveryFate":
      server.edge.fateOf = () => step.fate;
      return;
    case "drop":
      return server.edge.drop();
    case "away":
      server.isReachable = false;
      return;
    case "back":
      server.isReachable = true;
      return;
    case "wait":
      for (let i = 0; i < 20; i++) await settle();
  }
}

/** The network is well again; whoever waits for a lost answer sees it by reconnecting. */
async function heal(server: TestServer): Promise<void> {
  server.isReachable = true;
  server.edge.loses = () => false;
  server.edge.fateOf = () => "deliver";
  server.edge.drop();
}

test("two clients see the same messages in the same order, each once, over connections that break at any time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      // Two messages at once, and then as fast as it likes: some are refused for now.
      const server = await openServer({ messageRate: { capacity: 2, refillPerMinute: 30_000 } });
      // Watermarks rest for a second between two: they would be most of the time.
      const options = { reportDelivery: false };
      const clients = {
        alice: await openChat(server, "alice", options),
        bob: await openChat(server, "bob", options),
      };
      const heard = { alice: new Recorder(clients.alice), bob: new Recorder(clients.bob) };
      let sent = 0;

      for (const one of steps) await apply(one, server, clients, one.kind === "send" ? String(++sent) : "");
      await heal(server);
      await Promise.all([clients.alice.flush(), clients.bob.flush()]);
      const texts = await server.texts("alice", "bob");
      await heard.alice.until(() => heard.alice.texts("bob").length >= texts.length);
      await heard.bob.until(() => heard.bob.texts("alice").length >= texts.length);

      expect(texts).toHaveLength(sent);
      expect(heard.alice.texts("bob")).toEqual(texts);
      expect(heard.bob.texts("alice")).toEqual(texts);
      expect(clients.alice.conversation("bob").messages.map(({ text }) => text)).toEqual(texts);
      await Promise.all([clients.alice.close(), clients.bob.close()]);
      await server.close();
    }),
    { numRuns: 40 },
  );
}, 120_000);

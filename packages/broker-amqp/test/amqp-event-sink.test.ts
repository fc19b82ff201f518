import type { Fact } from "@chat21/engine";
import { ChatError } from "@chat21/protocol";
import { describe, expect, it } from "vitest";
import { AmqpEventSink, eventSinkLimits } from "../src/amqp-event-sink.ts";
import type { Publication } from "../src/publisher.ts";
import { createManualTimers } from "./manual-timers.ts";

/** A broker with queues for some kinds of events; it confirms in the next turn. */
function brokerFor(...kinds: string[]) {
  const bound = new Set(kinds.map((kind) => `apps.tilechat.${kind}`));
  const got: string[] = [];
  const offered: string[] = [];
  let isAway = false;
  const publish = async (publications: readonly Publication[]): Promise<void> => {
    if (isAway) throw new ChatError("connection_lost");
    offered.push(...publications.map(({ content }) => content.toString()));
    await Promise.resolve();
    for (const { routingKey, content, onReturned } of publications) {
      if (bound.has(routingKey)) got.push(content.toString());
      else onReturned?.();
    }
  };
  return {
    ...{ publish, got, offered },
    bind: (kind: string) => bound.add(`apps.tilechat.${kind}`),
    goAway: (away: boolean) => {
      isAway = away;
    },
  };
}

function sinkOn(broker: ReturnType<typeof brokerFor>) {
  const timers = createManualTimers();
  const sink = new AmqpEventSink(
    broker,
    (fact) => {
      const { user: id } = fact as unknown as { readonly user: string };
      return [{ event: id.split(" ")[0] as string, app: "tilechat", id: () => id, body: () => id }];
    },
    timers,
  );
  const accept = (...bodies: string[]) =>
    sink.accept(bodies.map((user) => ({ kind: "presence", user }) as unknown as Fact));
  return { sink, timers, accept };
}

describe("events for backends", () => {
  it("are all published while a queue takes them", async () => {
    const broker = brokerFor("sent");
    const { accept } = sinkOn(broker);

    await accept("sent 1", "sent 2");
    await accept("sent 3");

    expect(broker.got).toEqual(["sent 1", "sent 2", "sent 3"]);
  });

  it("of a kind without a queue are offered once a second, the others as always", async () => {
    const broker = brokerFor("sent");
    const { accept, timers } = sinkOn(broker);
    await accept("read 1", "sent 1");

    for (let second = 1; second <= 3; second += 1) {
      for (let n = 1; n <= 10; n += 1) await accept(`read ${second}.${n}`, `sent ${second}.${n}`);
      await timers.advance(eventSinkLimits.offerEveryMs);
    }

    expect(broker.offered.filter((body) => body.startsWith("read"))).toEqual([
      "read 1",
      "read 1.1",
      "read 2.1",
      "read 3.1",
    ]);
    expect(broker.got).toHaveLength(31);
  });

  it("reach a queue that is bound later from a second before, in order and each once", async () => {
    const broker = brokerFor();
    const { accept, timers } = sinkOn(broker);
    await accept("sent 1");
    await accept("sent 2");
    await timers.advance(eventSinkLimits.offerEveryMs);
    await accept("sent 3", "sent 4");
    broker.bind("sent");
    await accept("sent 5");

    const offered = timers.advance(eventSinkLimits.offerEveryMs);
    await accept("sent 6");
    await offered;
    await accept("sent 7");

    expect(broker.got).toEqual(["sent 3", "sent 4", "sent 5", "sent 6", "sent 7"]);
  });

  it("wait for a broker that is away, and are then offered", async () => {
    const broker = brokerFor();
    const { accept, timers } = sinkOn(broker);
    await accept("sent 1");
    await accept("sent 2");
    broker.bind("sent");
    broker.goAway(true);
    await timers.advance(5 * eventSinkLimits.offerEveryMs);

    broker.goAway(false);
    await timers.advance(eventSinkLimits.offerEveryMs);

    expect(broker.got).toEqual(["sent 2"]);
  });

  it("are offered before others are taken when many are kept: these wait while the broker is away", async () => {
    const broker = brokerFor();
    const { accept } = sinkOn(broker);
    await accept("sent 1");
    await accept(...Array.from({ length: eventSinkLimits.kept }, (_, index) => `sent many ${index}`));
    broker.goAway(true);
    const refused = await accept("sent 2").catch((error: unknown) => error);
    broker.goAway(false);
    broker.bind("sent");

    await accept("sent 3");

    expect(refused).toMatchObject({ code: "connection_lost" });
    expect(broker.got).toHaveLength(eventSinkLimits.kept + 1);
    expect(broker.got.slice(-2)).toEqual([`sent many ${eventSinkLimits.kept - 1}`, "sent 3"]);
  });

  it("are offered before the process ends", async () => {
    const broker = brokerFor();
    const { accept, sink } = sinkOn(broker);
    await accept("sent 1");
    await accept("sent 2");
    broker.bind("sent");

    await sink.offer();
    sink.close();

    expect(broker.got).toEqual(["sent 2"]);
  });
});

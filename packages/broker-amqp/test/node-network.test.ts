import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { nodeLimits } from "../src/nodes/node-limits.ts";
import { createManualTimers, type ManualTimers } from "./manual-timers.ts";
import { MemoryPost, sessionOf, TestNode } from "./memory-post.ts";

let post: MemoryPost;
let timers: ManualTimers;

beforeEach(() => {
  post = new MemoryPost();
  timers = createManualTimers();
});

/** Nodes that know each other. */
async function joined(...labels: readonly string[]): Promise<readonly TestNode[]> {
  const nodes = labels.map((label) => new TestNode(label, post, timers));
  const joining = nodes.map((node) => node.join());
  await timers.advance(nodeLimits.listenMs);
  await Promise.all(joining);
  await settled();
  return nodes;
}

/** Everything that was sent has arrived, and the answers, too. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}

async function connect(node: TestNode, user: string): Promise<void> {
  const session = sessionOf(user);
  await node.network.announce(session);
  node.network.opened(session);
}

/** `pending` until it is settled; asked after everything that can happen by itself has happened. */
async function stateOf(promise: Promise<unknown> | undefined): Promise<string> {
  let state = "pending";
  promise?.then(
    () => (state = "resolved"),
    (error: { code: string }) => (state = error.code),
  );
  await settled();
  return state;
}

const [a, b, c] = ["a", "b", "c"];

describe("a delivery", () => {
  it("goes to the nodes with connections of its user, in order, and to no other", async () => {
    const [one, two, three] = (await joined(a, b, c)) as [TestNode, TestNode, TestNode];
    await connect(two, "ann");
    await connect(two, "bob");

    one.deliver("ann", "1", "2");
    one.deliver("ann", "3");
    one.deliver("bob", "4");
    await settled();

    expect(two.received).toEqual(["1", "2", "3", "4"]);
    expect(three.received).toEqual([]);
    expect(one.deliver("nobody", "5")).toBeUndefined();
  });

  it("goes to each of a user's nodes, and no longer to the one that the user has left", async () => {
    const [one, two, three] = (await joined(a, b, c)) as [TestNode, TestNode, TestNode];
    const session = sessionOf("ann");
    await two.network.announce(session);
    await connect(three, "ann");

    one.deliver("ann", "1");
    await settled();
    two.network.closed(session);
    await settled();
    one.deliver("ann", "2");
    await settled();

    expect([two.received, three.received]).toEqual([["1"], ["1", "2"]]);
  });

  it("comes once when it is sent again after a lost connection", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await connect(two, "ann");
    post.hold(two.name, true);
    one.deliver("ann", "1");
    await settled();

    post.double(two.name);
    post.hold(two.name, false);
    one.deliver("ann", "2");
    await settled();

    expect(two.received).toEqual(["1", "2"]);
    expect(two.broken).toEqual([]);
  });

  it("that is lost is missed: the node comes again", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await connect(two, "ann");
    post.hold(two.name, true);
    one.deliver("ann", "lost");
    await settled();
    post.empty(two.name);
    post.hold(two.name, false);

    one.deliver("ann", "next");
    await settled();

    expect(two.received).toEqual([]);
    expect(two.broken).toEqual([expect.stringMatching(/^words \d+ to \d+ of a-1 are lost$/)]);
  });
});

describe("an announcement", () => {
  it("is done when every other node knows of it", async () => {
    const [one, two, three] = (await joined(a, b, c)) as [TestNode, TestNode, TestNode];
    post.hold(three.name, true);

    const announced = one.network.announce(sessionOf("ann"));

    expect(await stateOf(announced)).toBe("pending");
    post.hold(three.name, false);
    expect(await stateOf(announced)).toBe("resolved");
    three.deliver("ann", "from three");
    two.deliver("ann", "from two");
    await settled();
    expect(one.received.sort()).toEqual(["from three", "from two"]);
  });

  it("does not wait for a node whose queue is gone", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    post.cut(two.name);

    expect(await stateOf(one.network.announce(sessionOf("ann")))).toBe("resolved");
    expect(one.network.peers).toEqual([]);
  });

  it("tells the others which client is connected here now", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];

    await connect(one, "ann");

    expect(two.arrivedElsewhere).toEqual(["ann ann-phone"]);
  });

  it("is refused when the node loses the broker meanwhile, and waits while it is away", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    post.hold(two.name, true);
    const announced = one.network.announce(sessionOf("ann"));
    await settled();

    one.leave();
    const later = one.network.announce(sessionOf("bob"));

    expect(await stateOf(announced)).toBe("connection_lost");
    expect(await stateOf(later)).toBe("pending");
    post.hold(two.name, false);
    const joining = one.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;
    expect(await stateOf(later)).toBe("resolved");
  });

  it("does not hold for a connection that opens after the node has lost the broker", async () => {
    const [one] = (await joined(a, b)) as [TestNode];
    const [before, after] = [sessionOf("ann"), sessionOf("bob")];
    await one.network.announce(before);
    await one.network.announce(after);

    expect(one.network.opened(before)).toBe(true);
    one.leave();
    expect(one.network.opened(after)).toBe(false);
  });

  it("is taken back when no connection follows", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await one.network.announce(sessionOf("ann"));
    expect(two.network.reaches("tilechat", "ann")).toBe(true);

    await timers.advance(nodeLimits.unopenedMs + nodeLimits.beatMs);
    await settled();

    expect(two.network.reaches("tilechat", "ann")).toBe(false);
  });
});

describe("a node", () => {
  it("learns who is connected already when it comes", async () => {
    const [one] = (await joined(a)) as [TestNode];
    await connect(one, "ann");
    const late = new TestNode(b, post, timers);
    const joining = late.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;

    late.deliver("ann", "hello");
    await settled();

    expect(one.received).toEqual(["hello"]);
  });

  it("holds deliveries while it cannot know whether its queue exists, and sends them by what it knows then", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await connect(two, "ann");
    post.hold(one.name, true);
    await timers.advance(nodeLimits.trustMs + 1);

    const taken = one.deliver("ann", "1");

    expect(await stateOf(taken)).toBe("pending");
    expect(two.received).toEqual([]);
    post.hold(one.name, false);
    await timers.advance(nodeLimits.beatMs);
    expect(await stateOf(taken)).toBe("resolved");
    expect(two.received).toEqual(["1"]);
  });

  it("that loses the broker comes under another name, and knows that it has missed deliveries", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await connect(two, "ann");

    two.leave();
    expect(two.missed).toBe(1);
    const joining = two.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;
    await settled();

    expect(one.network.peers).toEqual([two.name]);
    one.deliver("ann", "after");
    await settled();
    expect(two.received).toEqual(["after"]);
  });

  it("keeps the deliveries of the turn in which it loses the broker", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await connect(two, "ann");

    const taken = one.deliver("ann", "1");
    one.leave();

    expect(await stateOf(taken)).toBe("pending");
    const joining = one.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;
    expect(await stateOf(taken)).toBe("resolved");
    expect(two.received).toEqual(["1"]);
  });

  it("comes again when another one delivers without having heard of it", async () => {
    const [one] = (await joined(a)) as [TestNode];
    await connect(one, "ann");
    post.hold(one.name, true);
    const late = new TestNode(b, post, timers);
    const joining = late.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;

    post.hold(one.name, false);
    await settled();

    expect(one.broken).toEqual(["another node delivers without this one"]);
    // What it delivered meanwhile did not reach the clients of the one that came.
    expect(late.missed).toBe(1);
  });

  it("that says goodbye is forgotten", async () => {
    const [one, two] = (await joined(a, b)) as [TestNode, TestNode];
    await connect(two, "ann");

    two.network.close();
    await settled();

    expect(one.network.peers).toEqual([]);
    expect(one.network.reaches("tilechat", "ann")).toBe(false);
  });
});

describe("beside observers, a node", () => {
  /** A node, and an observer that comes after it. */
  async function withObserver(): Promise<readonly [TestNode, TestNode]> {
    const [node] = (await joined(a)) as [TestNode];
    const observer = new TestNode("observer", post, timers, "observer");
    const joining = observer.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;
    return [node, observer];
  }

  it("gets an observer's deliveries for its users, and the observer gets none", async () => {
    const [node, observer] = await withObserver();
    await connect(node, "ann");

    observer.deliver("ann", "1");
    node.deliver("ann", "2");
    await settled();

    expect(node.received).toEqual(["1"]);
    expect([observer.received, observer.published]).toEqual([[], []]);
    expect(observer.deliver("nobody", "3")).toBeUndefined();
  });

  it("hands every delivery to the plugin, in order, from the observer's coming on, also when it is gone", async () => {
    const [node] = (await joined(a)) as [TestNode];
    expect(node.deliver("ann", "before")).toBeUndefined();
    expect(node.network.reaches("tilechat", "ann")).toBe(false);
    const observer = new TestNode("observer", post, timers, "observer");
    const joining = observer.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;

    node.deliver("ann", "1", "2");
    observer.leave();
    await node.deliver("ann", "3");

    expect(node.published).toEqual(["1", "2", "3"]);
    expect(node.network.reaches("tilechat", "ann")).toBe(true);
  });

  it("hands a delivery to the plugin once when it loses the broker in the same turn", async () => {
    const [node] = await withObserver();
    const other = new TestNode(b, post, timers);
    const coming = other.join();
    await timers.advance(nodeLimits.listenMs);
    await coming;
    await connect(other, "ann");

    const taken = node.deliver("ann", "1");
    node.leave();
    node.deliver("ann", "2");
    const joining = node.join();
    await timers.advance(nodeLimits.listenMs);
    await Promise.all([joining, taken]);
    await settled();

    expect(node.published).toEqual(["1", "2"]);
    expect(other.received).toEqual(["1", "2"]);
  });

  it("announces a client only when the observer knows of it, too", async () => {
    const [node, observer] = await withObserver();
    post.hold(observer.name, true);

    const announced = node.network.announce(sessionOf("ann"));

    expect(await stateOf(announced)).toBe("pending");
    post.hold(observer.name, false);
    expect(await stateOf(announced)).toBe("resolved");
  });

  it("hears of its clients that have come to the plugin", async () => {
    const [node, observer] = await withObserver();
    await connect(node, "ann");

    observer.network.arrived(sessionOf("ann", "tablet"));
    observer.network.arrived(sessionOf("bob", "tablet"));
    await settled();

    expect(node.arrivedElsewhere).toEqual(["ann tablet"]);
  });

  it("is not waited for where there is none: an observer delivers at once", async () => {
    const observer = new TestNode("observer", post, timers, "observer");

    await observer.join();
    await settled();

    expect(observer.network.isReady).toBe(true);
    const late = new TestNode(a, post, timers);
    const joining = late.join();
    await timers.advance(nodeLimits.listenMs);
    await joining;
    await connect(late, "ann");
    observer.deliver("ann", "1");
    await settled();
    expect(late.received).toEqual(["1"]);
  });
});

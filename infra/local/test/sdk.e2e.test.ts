import { randomUUID } from "node:crypto";
import { type Chat, type ChatEvents, connect } from "@chat21/client-sdk";
import { compatToken, startWebhookReceiver, type Topology } from "@chat21/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startCluster } from "./start-cluster.ts";

const app = "tilechat";

let cluster: Topology;
let webhooks: Awaited<ReturnType<typeof startWebhookReceiver>>;
const chats: Chat[] = [];

beforeAll(async () => {
  webhooks = await startWebhookReceiver();
  cluster = await startCluster({ webhookEndpoint: webhooks.url });
});
afterEach(async () => {
  await Promise.all(chats.splice(0).map((chat) => chat.close()));
});
afterAll(async () => {
  await cluster?.close();
  await webhooks?.close();
});

const newName = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

/** Gets a token as a backend does: strict, for one client and one hour. */
async function tokenOf(user: string): Promise<string> {
  const admin = compatToken("100-APIADMIN", { secret: cluster.secret, role: "admin" });
  const answer = await fetch(`${cluster.apiUrl}/v1/${app}/users/${encodeURIComponent(user)}/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: "{}",
  });
  if (answer.status !== 201) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}

async function join(
  user: string,
  token: string | (() => Promise<string>) = () => tokenOf(user),
): Promise<Chat> {
  const { apiUrl, mqttWsUrl: mqttUrl } = cluster;
  const chat = await connect({ url: new URL("/", apiUrl).href, apiUrl, mqttUrl, token, fullname: user });
  chats.push(chat);
  return chat;
}

/** Resolves with the next event of this name that matches. */
function next<Name extends keyof ChatEvents>(
  chat: Chat,
  name: Name,
  matches: (event: ChatEvents[Name]) => boolean = () => true,
): Promise<ChatEvents[Name]> {
  return new Promise((resolve) => {
    const stop = chat.on(name, (event) => {
      if (!matches(event)) return;
      stop();
      resolve(event);
    });
  });
}

describe("the SDK on the cluster", () => {
  it("sends and receives in order, with numbers, and says what was delivered and read", async () => {
    const [a, b] = await Promise.all([join(newName("ann")), join(newName("bob"))]);
    const texts = Array.from({ length: 20 }, (_, index) => `m${index}`);
    const last = next(b, "message", ({ message }) => message.text === "m19");

    const sent = await Promise.all(texts.map((text) => a.send(b.user.id, { text })));
    await last;
    const read = next(a, "receipt", (receipt) => receipt.user === b.user.id && receipt.read === 20);
    b.conversation(a.user.id).markRead();
    await read;

    expect(sent.map(({ seq }) => seq)).toEqual(texts.map((_, index) => index + 1));
    expect(b.conversation(a.user.id).messages.map(({ text }) => text)).toEqual(texts);
    await expect.poll(() => a.conversation(b.user.id).messages.at(-1)?.state).toBe("read");
    expect(b.conversations.get(a.user.id)).toMatchObject({ unread: 0, head: 20 });
  });

  it("catches up with messages that came while it was away, and stores a message sent twice once", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const a = await join(ann);
    const first = await join(bob);
    await first.close();

    const id = randomUUID();
    const once = await a.send(bob, { text: "only once" }, { clientMessageId: id });
    const again = await (await join(ann)).send(bob, { text: "only once" }, { clientMessageId: id });
    const second = await join(bob);

    expect(again.seq).toBe(once.seq);
    expect(second.conversation(ann).messages.map(({ text }) => text)).toEqual(["only once"]);
    expect(second.conversations.get(ann)?.unread).toBe(1);
  });

  it("talks in groups, to their members", async () => {
    const [a, b, c] = await Promise.all([join(newName("ann")), join(newName("bob")), join(newName("cy"))]);
    const group = await a.groups.create({ name: "Team", members: [a.user.id, b.user.id] });
    // Info messages about the new group arrive as messages, too.
    const heard = next(b, "message", ({ message }) => message.text === "hello team");
    await a.send(group.id, { text: "hello team" });
    expect((await heard).conversWith).toBe(group.id);

    const joined = next(c, "group", (event) => event.group.id === group.id);
    await a.groups.addMember(group.id, c.user.id);
    await joined;
    const answered = next(a, "message", ({ message }) => message.text === "hi from cy");
    await c.send(group.id, { text: "hi from cy" });
    await answered;
    await a.groups.removeMember(group.id, b.user.id);

    await expect(b.send(group.id, { text: "still here?" })).rejects.toMatchObject({ code: "not_member" });
    expect((await a.groups.get(group.id)).members.toSorted()).toEqual([a.user.id, c.user.id].toSorted());
  });

  it("knows users by their provider's ids, whatever they hold", async () => {
    const own = randomUUID().slice(0, 8);
    const names = [`auth0|${own}`, `john.doe-${own}@example.com`, `+39333 ${own}`] as const;
    const [a, b, c] = await Promise.all([join(names[0]), join(names[1]), join(names[2])]);
    const heard = next(b, "message");

    await a.send(b.user.id, { text: "hi" });
    const { message, conversWith } = await heard;
    const group = await b.groups.create({ name: "Team", members: [a.user.id, c.user.id] });
    const told = next(c, "message", (event) => event.message.text === "hello team");
    await a.send(group.id, { text: "hello team" });

    expect([a.user.id, b.user.id, c.user.id]).toEqual(names);
    expect([message.sender, conversWith]).toEqual([names[0], names[0]]);
    expect(group.members.toSorted()).toEqual([...names].toSorted());
    expect((await told).message.sender).toBe(names[0]);
    expect((await a.presence.get(names[1])).presence).toBe("online");
    await expect.poll(() => b.conversation(names[0]).messages.length).toBe(1);
  });

  it("shows who is typing and who is online", async () => {
    const [a, b] = await Promise.all([join(newName("ann")), join(newName("bob"))]);
    const heard = next(b, "message");
    await a.send(b.user.id, { text: "hi" });
    await heard;
    const typing = next(b, "typing", (event) => event.user === a.user.id && event.typing);

    a.conversation(b.user.id).setTyping(true);
    await typing;
    const online = await a.presence.get(b.user.id);
    const gone = next(a, "presence", ({ user, presence }) => user === b.user.id && presence === "offline");
    a.presence.subscribe(b.user.id, () => {});
    await b.close();

    expect(online.presence).toBe("online");
    expect((await gone).presence).toBe("offline");
  });

  it("is told why a message is refused, and goes on", async () => {
    const [a, b] = await Promise.all([join(newName("ann")), join(newName("bob"))]);

    const refused = a.send(b.user.id, { text: "x".repeat(110_000) });

    await expect(refused).rejects.toMatchObject({ code: "payload_too_large" });
    await expect(a.send(b.user.id, { text: "short" })).resolves.toMatchObject({ seq: 1 });
  });

  it("works with tokens of existing issuers", async () => {
    const [ann, bob] = [newName("ann"), newName("bob")];
    const old = (user: string) => compatToken(user, { secret: cluster.secret });
    const [a, b] = await Promise.all([join(ann, old(ann)), join(bob, old(bob))]);
    const heard = next(b, "message");

    await a.send(bob, { text: "hi" });

    expect((await heard).message.text).toBe("hi");
  });
});

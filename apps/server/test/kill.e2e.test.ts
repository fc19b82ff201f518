import { compatToken, RestCaller, startWebhookReceiver, type WebhookReceiver } from "@chat21/testkit";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { freePort, newDataDir, removeDataDirs, ServerProcess } from "./server-process.ts";
import { type Acknowledged, StubbornSender } from "./stubborn-sender.ts";

const app = "tilechat";
const secret = "the-kill-test-shares-this-secret-with-nobody-else";
const kills = 6;
const senders = 6;
const group = "group-kill";

let server: ServerProcess | undefined;
let webhooks: WebhookReceiver | undefined;

afterEach(async () => {
  await server?.stop("SIGKILL");
  await webhooks?.close();
});
afterAll(removeDataDirs);

const tokenOf = (user: string, role: "user" | "admin" = "user") => compatToken(user, { secret, role });

/** Calls back once after a random number of calls in the range, and is then armed again. */
function afterSome(least: number, most: number): { count: () => void; reached: () => Promise<void> } {
  let left = Number.POSITIVE_INFINITY;
  let resolve = (): void => {};
  return {
    count: () => {
      if (--left <= 0) resolve();
    },
    reached: () =>
      new Promise((done) => {
        left = least + Math.floor(Math.random() * (most - least));
        resolve = done;
      }),
  };
}

/** REST as a backend uses it, over and over: what gets a 2xx is acknowledged, everything else is not tried again. */
async function postUntil(
  rest: RestCaller,
  isOver: () => boolean,
  acknowledged: Acknowledged[],
): Promise<void> {
  for (let number = 0; !isOver(); number++) {
    const recipient = number % 2 === 0 ? "rest-recipient" : group;
    const text = `rest-sender ${number}`;
    const body = {
      sender_id: "rest-sender",
      sender_fullname: "R",
      recipient_id: recipient,
      recipient_fullname: "R",
      text,
    };
    const answer = await rest.post(`${app}/messages`, body).catch(() => undefined);
    if (answer !== undefined && answer.status < 300) acknowledged.push({ recipient, text });
  }
}

/** A whole conversation's log as one of its members sees it, oldest first. */
async function readAll(rest: RestCaller, conversWith: string): Promise<readonly LogEntry[]> {
  const all: LogEntry[] = [];
  for (let after = 0; ; after = all.at(-1)?.seq ?? 0) {
    const answer = await rest.get(`v1/${app}/conversations/${conversWith}/events?limit=1000&after=${after}`);
    expect(answer.status).toBe(200);
    const page: readonly LogEntry[] = answer.body.events;
    if (page.length === 0) return all;
    all.push(...page);
  }
}

interface LogEntry {
  readonly seq: number;
  readonly type: string;
  readonly message?: StoredMessage;
}

interface StoredMessage {
  readonly sender: string;
  readonly text: string;
  readonly message_id: string;
}

/** Numbers of one sender's texts (`<sender> <number>`) in the order of the conversation. */
function numbersOf(messages: readonly StoredMessage[], sender: string): readonly number[] {
  return messages
    .filter((message) => message.sender === sender)
    .map(({ text }) => Number(text.split(" ").at(-1)));
}

/** Numbers without holes; what was acknowledged is there, nothing is there twice, and every sender's order is kept. */
function expectIntact(
  log: readonly LogEntry[],
  acknowledged: readonly Acknowledged[],
): readonly StoredMessage[] {
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const messages = log.flatMap(({ message }) => message ?? []);
  const texts = messages.filter(({ sender }) => sender !== "system").map(({ text }) => text);
  const stored = new Set(texts);
  expect(stored.size).toBe(texts.length);
  expect(acknowledged.filter(({ text }) => !stored.has(text))).toEqual([]);
  for (const sender of new Set(messages.map((message) => message.sender))) {
    if (sender === "system") continue;
    const numbers = numbersOf(messages, sender);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  }
  return messages;
}

describe("a server that is killed", () => {
  it("again and again under full load has every acknowledged message once, in order, and hands each to webhooks", async () => {
    webhooks = await startWebhookReceiver();
    const [httpPort, mqttPort] = [await freePort(), await freePort()];
    const dataDir = newDataDir();
    const start = () =>
      ServerProcess.start({
        dataDir,
        env: {
          CHAT21_HTTP_PORT: String(httpPort),
          CHAT21_MQTT_PORT: String(mqttPort),
          CHAT21_JWT_SECRET: secret,
          WEBHOOK_ENDPOINTS: webhooks?.url ?? "",
          WEBHOOK_EVENTS: "message-sent",
          LOG_LEVEL: "WARN",
          // One sender stands for many people.
          CHAT21_RATE_LIMITS: "off",
        },
      });
    server = await start();
    const users = Array.from({ length: senders }, (_, index) => `sender-${index}`);
    const admin = new RestCaller(`${server.url}/api`, tokenOf("backend", "admin"));
    const members = Object.fromEntries([...users, "rest-sender"].map((user) => [user, 1]));
    const created = await admin.post(`${app}/groups`, {
      ...{ group_name: "Kill", group_id: group, group_members: members, group_owner: "sender-0" },
    });
    expect(created.status).toBe(201);

    const progress = afterSome(150, 600);
    const stubborn = users.map(
      (user, index) =>
        new StubbornSender({
          url: index % 2 === 0 ? `mqtt://127.0.0.1:${mqttPort}` : `ws://127.0.0.1:${httpPort}/ws`,
          user,
          token: tokenOf(user),
          recipients: [group, `recipient-${index}`],
          window: 16,
          onAcknowledged: progress.count,
        }),
    );
    const running = stubborn.map((sender) => sender.run());
    let isOver = false;
    const overRest: Acknowledged[] = [];
    const posting = postUntil(admin, () => isOver, overRest);
    for (let kill = 0; kill < kills; kill++) {
      await progress.reached();
      await server.stop("SIGKILL");
      server = await start();
    }
    await progress.reached();
    isOver = true;
    for (const sender of stubborn) sender.stop();
    await Promise.all([...running, posting]);

    const { url } = server;
    const all = [...stubborn.flatMap(({ acknowledged }) => acknowledged), ...overRest];
    const conversations = [
      ["sender-0", group] as const,
      ["rest-sender", "rest-recipient"] as const,
      ...users.map((user, index) => [user, `recipient-${index}`] as const),
    ];
    const everything: StoredMessage[] = [];
    for (const [user, conversWith] of conversations) {
      const log = await readAll(new RestCaller(`${url}/api`, tokenOf(user)), conversWith);
      const acknowledged = all.filter(({ recipient }) => recipient === conversWith);
      everything.push(...expectIntact(log, acknowledged));
    }
    expect(all.length).toBeGreaterThan(kills * 150);

    const missing = new Set(everything.map(({ message_id: id }) => id));
    const idsOf = new Map<string, Set<unknown>>();
    const take = ({ body, headers }: WebhookReceiver["received"][number]) => {
      missing.delete(body.message_id);
      const ids = idsOf.get(body.message_id) ?? new Set();
      idsOf.set(body.message_id, ids.add(headers["webhook-id"]));
    };
    let taken = 0;
    await webhooks.until((received) => {
      for (; taken < received.length; taken++) take(received[taken] as (typeof received)[number]);
      return missing.size === 0;
    }, 60_000);
    expect([...idsOf.values()].filter((ids) => ids.size !== 1 || ids.has(undefined))).toEqual([]);
  });
});

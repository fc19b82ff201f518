import { compatToken, OldClient, startWebhookReceiver, type WebhookReceiver } from "@chat21/testkit";
import { createFakeTime, type FakeTime } from "@chat21/testkit/services";
import { afterAll, beforeAll, expect, it } from "vitest";
import { removeDataDirs, ServerProcess } from "./server-process.ts";

const secret = "a-secret-that-is-long-enough-for-these-tests";
const hour = 3_600;
const day = 24 * hour;

let clock: FakeTime;
let server: ServerProcess;
let webhooks: WebhookReceiver;

beforeAll(async () => {
  clock = await createFakeTime();
  webhooks = await startWebhookReceiver();
  server = await start();
});
afterAll(async () => {
  await server?.stop("SIGKILL");
  await webhooks?.close();
  clock?.close();
  removeDataDirs();
});

function start(dataDir?: string): Promise<ServerProcess> {
  return ServerProcess.start({
    ...(dataDir === undefined ? {} : { dataDir }),
    env: {
      ...clock.env,
      CHAT21_JWT_SECRET: secret,
      PRESENCE_GRACE_SECONDS: "1",
      WEBHOOK_ENDPOINTS: webhooks.url,
    },
  });
}

// The tokens outlive the day that the clock is ahead.
const connect = (user: string) =>
  OldClient.connect({
    url: server.mqttUrl,
    user,
    token: compatToken(user, { secret, ttlSeconds: 3 * day }),
  });

/** Messages of both sides arrive and are told to backends, and so are a third person's coming and going. */
async function expectLife(ann: OldClient, bob: OldClient, when: string): Promise<void> {
  for (const [sender, recipient] of [
    [ann, bob],
    [bob, ann],
  ] as const) {
    const text = `${when}, from ${sender.user}`;
    await sender.send(recipient.user, { text, recipient_fullname: recipient.user }, 1);
    await recipient.nextMessage(sender.user, text);
    await webhooks.next(({ body }) => body.event_type === "message-sent" && body.data.text === text);
  }
  const guest = await connect(`guest ${when}`.replaceAll(" ", "-"));
  const isTold = (presence: string) =>
    webhooks.next(({ body }) => body.presence === presence && body.user_id === guest.user);
  await isTold("online");
  await guest.cut();
  await isTold("offline");
}

it("senders, webhooks and presence go on when the clock is set back by an hour, and a day ahead and back", async () => {
  const [ann, bob] = await Promise.all([connect("ann"), connect("bob")]);
  await expectLife(ann, bob, "before");

  clock.set(-hour);
  await expectLife(ann, bob, "an hour ago");
  clock.set(day);
  await expectLife(ann, bob, "tomorrow");
  clock.set(0);
  await expectLife(ann, bob, "today");

  const headers = { authorization: compatToken("ann", { secret, ttlSeconds: 3 * day }) };
  const answer = await fetch(`${server.url}/api/tilechat/ann/conversations/bob/messages`, { headers });
  const { result } = (await answer.json()) as { result: { text: string; timestamp: number; seq: number }[] };
  const bySeq = result.toSorted((a, b) => a.seq - b.seq);
  const times = bySeq.map(({ timestamp }) => timestamp);
  expect(bySeq.map(({ text }) => text)).toEqual(
    ["before", "an hour ago", "tomorrow", "today"].flatMap((when) =>
      ["ann", "bob"].map((sender) => `${when}, from ${sender}`),
    ),
  );
  expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  // What came after the future goes on from there, by a millisecond a message.
  expect(times.slice(6).map((time) => time - (times[5] ?? 0))).toEqual([1, 2]);
});

it("what waited in the store a day ahead does not wait for that day after a restart", async () => {
  clock.set(day);
  const ann = await connect("ann");
  const { url, dataDir } = server;
  const port = new URL(webhooks.url).port;
  await webhooks.close();
  for (const text of ["told later", "told last"]) await ann.send("cid", { text }, 1);
  const tries = async () =>
    Number(
      /chat21_webhook_attempts_total\{outcome="retry"\} (\d+)/.exec(
        await (await fetch(`${url}/metrics`)).text(),
      )?.[1],
    );
  await expect.poll(tries).toBeGreaterThan(0);
  await server.stop("SIGKILL");

  clock.set(0);
  webhooks = await startWebhookReceiver(Number(port));
  server = await start(dataDir);

  await webhooks.next(({ body }) => body.event_type === "message-sent" && body.data.text === "told later");
  await webhooks.next(({ body }) => body.event_type === "message-sent" && body.data.text === "told last");
});

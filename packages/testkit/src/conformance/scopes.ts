import { randomUUID } from "node:crypto";
import { connect, ErrorWithReasonCode, type MqttClient } from "mqtt";
import { describe, expect, test } from "vitest";
import { RestCaller } from "./rest-caller.ts";
import { app, type World } from "./world.ts";

/** What a token may be used for. */
const actions = [
  "connect",
  "hear everything",
  "hear new messages",
  "send",
  "be online",
  "read over REST",
  "send over REST",
  "change over REST",
] as const;
type Action = (typeof actions)[number];

interface Case {
  readonly title: string;
  /** `undefined`: the token has no such claim. */
  readonly scope: (me: string, clientId: string) => readonly string[] | string | undefined;
  readonly opens: readonly Action[];
  /** What a broker that goes by scopes alone opens. @default the same */
  readonly opensAtBroker?: readonly Action[];
  /** @default "user" */
  readonly role?: "admin";
}

const inbox = (me: string) => `apps.${app}.users.${me}`;
const outgoing = (me: string) => `apps.${app}.outgoing.users.${me}`;
/** What every subscription needs at the broker, beside its topic. */
const queues = ["configure", "read", "write"].map((to) => `rabbitmq.${to}:*/mqtt-subscription-*`);
const everything = actions;
const nothing: readonly Action[] = [];
const logTopic = `rabbitmq.read:*/*/apps.${app}.logs.l-1.*`;

/** One table for every topology. */
const cases: readonly Case[] = [
  {
    title: "one's own topics, as existing issuers write them",
    scope: (me) => [
      `rabbitmq.read:*/*/${inbox(me)}.*`,
      `rabbitmq.write:*/*/${inbox(me)}.*`,
      `rabbitmq.write:*/*/${outgoing(me)}.*`,
      "rabbitmq.configure:*/*/*",
    ],
    opens: everything,
  },
  {
    title: "the same for one client, percent-encoded, in one text",
    scope: (me, clientId) =>
      [
        `rabbitmq.read:%2F/amq%2Etopic/${inbox(me)}.*`,
        `rabbitmq.write:%2f/amq.topic/${inbox(me)}.*`,
        `rabbitmq.write:*/amq.*/${outgoing(me)}.*`,
        ...["configure", "read", "write"].map((to) => `rabbitmq.${to}:*/mqtt-subscription-${clientId}qos*`),
      ].join(" "),
    opens: everything,
  },
  {
    title: "everything, as a backend's token has it",
    scope: () => ["rabbitmq.read:*/*/*", "rabbitmq.write:*/*/*", "rabbitmq.configure:*/*/*"],
    opens: everything,
  },
  {
    title: "one topic of a log",
    scope: () => [logTopic, ...queues],
    opens: ["connect"],
  },
  {
    title: "one topic of a log, for an admin",
    scope: () => [logTopic, ...queues],
    role: "admin",
    opens: ["connect"],
  },
  {
    title: "another user's topics",
    scope: (me) => [
      `rabbitmq.read:*/*/${inbox(`${me}x`)}.*`,
      `rabbitmq.write:*/*/apps.*.users.${me}x.*`,
      ...queues,
    ],
    opens: ["connect"],
  },
  {
    title: "reading alone",
    scope: (me) => [`rabbitmq.read:*/*/${inbox(me)}.*`, ...queues],
    opens: ["connect", "hear everything", "hear new messages", "read over REST"],
  },
  {
    title: "new messages alone",
    scope: (me) => [`rabbitmq.read:*/*/${inbox(me)}.messages.*.clientadded`, ...queues],
    opens: ["connect", "hear new messages"],
  },
  {
    title: "writing alone",
    scope: (me) => [`rabbitmq.write:*/*/${inbox(me)}.*`, `rabbitmq.write:*/*/${outgoing(me)}.*`, ...queues],
    opens: ["connect", "send", "be online", "send over REST", "change over REST"],
  },
  {
    title: "sending alone",
    scope: (me) => [`rabbitmq.write:*/*/${outgoing(me)}.*`],
    opens: ["connect", "send", "send over REST"],
  },
  {
    title: "one's own topics, without a queue to hear them by",
    scope: (me) => [
      `rabbitmq.read:*/amq.topic/${inbox(me)}.*`,
      `rabbitmq.write:*/amq.topic/${inbox(me)}.*`,
      `rabbitmq.write:*/amq.topic/${outgoing(me)}.*`,
    ],
    opens: ["connect", "send", "be online", "read over REST", "send over REST", "change over REST"],
  },
  {
    title: "one's own topics on another exchange",
    scope: (me) => [`rabbitmq.read:*/other/${inbox(me)}.*`, `rabbitmq.write:*/other/*`, ...queues],
    opens: ["connect"],
  },
  {
    title: "everything on another virtual host",
    scope: () => ["rabbitmq.read:other/*/*", "rabbitmq.write:other/*/*", "rabbitmq.configure:other/*/*"],
    opens: nothing,
  },
  {
    title: "everything of another server",
    scope: () => ["other.read:*/*/*", "other.write:*/*/*", "other.configure:*/*/*"],
    opens: nothing,
  },
  { title: "nothing", scope: () => [], opens: nothing },
  {
    title: "no word of it: the claim is missing",
    scope: () => undefined,
    opens: everything,
    // RabbitMQ asks for the claim. REST is ours on every topology.
    opensAtBroker: ["read over REST", "send over REST", "change over REST"],
  },
  {
    title: "those of an identity provider",
    scope: () => "openid profile email",
    opens: everything,
    opensAtBroker: ["read over REST", "send over REST", "change over REST"],
  },
];

/** A token opens what its scopes name, and nothing else, whoever looks at it. */
export function describeScopes(world: () => World): void {
  describe.each(cases)("a token whose scopes are $title", ({ scope, opens, opensAtBroker = opens, role }) => {
    const expected = () => (world().topology.publishesAreJudgedBy === "scopes" ? opensAtBroker : opens);

    test.each(actions)("%s", async (action) => {
      const [me, friend, clientId] = [world().newUser("me"), world().newUser("friend"), randomUUID()];
      const claim = scope(me, clientId);
      const token = world().token(me, { scope: claim ?? null, ...(role === undefined ? {} : { role }) });
      const attempt: Attempt = { world: world(), me, friend, clientId, token };

      expect(await attempts[action](attempt)).toBe(expected().includes(action));
    });
  });
}

interface Attempt {
  readonly world: World;
  readonly me: string;
  readonly friend: string;
  readonly clientId: string;
  readonly token: string;
}

/** Each tries its action, and tells whether it had its effect. */
const attempts: Readonly<Record<Action, (attempt: Attempt) => Promise<boolean>>> = {
  connect: async (attempt) => {
    const client = await open(attempt);
    client?.end(true);
    return client !== null;
  },

  "hear everything": (attempt) => hears(attempt, `apps/${app}/users/${attempt.me}/#`),

  "hear new messages": (attempt) => hears(attempt, `apps/${app}/users/${attempt.me}/messages/+/clientadded`),

  send: async (attempt) => {
    const { world, me, friend } = attempt;
    const topic = `apps/${app}/outgoing/users/${me}/messages/${friend}/outgoing`;
    const settled = await publish(attempt, topic, { text: "hello", type: "text" });
    // A refusal that is acknowledged was decided before, so that there is nothing to wait for.
    if (settled && world.topology.publishesAreJudgedBy === "scopes")
      await expect.poll(() => world.history(friend, me), patience).toHaveLength(1);
    return (await world.history(friend, me)).length === 1;
  },

  "be online": async (attempt) => {
    const { world, me, clientId } = attempt;
    const client = await open(attempt);
    if (client === null) return false;
    const settled = await publishBy(client, `apps/${app}/users/${me}/presence/${clientId}`, {
      connected: true,
    });
    const isOnline = async () => {
      const answer = await world.admin().get(`v1/${app}/presence?users=${me}`);
      expect(answer.status).toBe(200);
      return answer.body.presence[0]?.presence === "online";
    };
    if (settled && world.topology.publishesAreJudgedBy === "scopes")
      await expect.poll(isOnline, patience).toBe(true);
    const online = await isOnline();
    client.end(true);
    return online;
  },

  "read over REST": async ({ me, friend, ...attempt }) =>
    decided(await rest(attempt).get(`${app}/${me}/conversations/${friend}/messages`)),

  "send over REST": async ({ friend, ...attempt }) =>
    decided(await rest(attempt).post(`v1/${app}/conversations/${friend}/messages`, { text: "hello" })),

  "change over REST": async ({ me, ...attempt }) =>
    decided(await rest(attempt).put(`v1/${app}/users/${me}`, { fullname: "Me" })),
};

const patience = { timeout: 10_000, interval: 50 };

function rest({ world, token }: Pick<Attempt, "token" | "world">): RestCaller {
  return new RestCaller(world.topology.apiUrl, token);
}

function decided({ status }: { readonly status: number }): boolean {
  // The older paths say 401 to everybody who may not.
  expect([200, 201, 204, 401, 403]).toContain(status);
  return status < 300;
}

/** `null`: refused. It has the will that existing clients have. */
function open({ world, me, clientId, token }: Attempt): Promise<MqttClient | null> {
  const client = connect(world.topology.mqttWsUrl, {
    clientId,
    username: "JWT",
    password: token,
    protocolVersion: world.protocolVersion,
    reconnectPeriod: 0,
    rejectUnauthorized: false,
    will: {
      topic: `apps/${app}/users/${me}/presence/${clientId}`,
      payload: Buffer.from('{"disconnected":true}'),
      qos: 1,
      retain: false,
    },
  });
  client.on("error", () => undefined);
  return new Promise((resolve) => {
    client.once("connect", () => resolve(client));
    client.once("close", () => resolve(null));
  });
}

async function hears(attempt: Attempt, filter: string): Promise<boolean> {
  const client = await open(attempt);
  if (client === null) return false;
  const granted = await Promise.race([
    closed(client),
    client.subscribeAsync(filter, { qos: 1 }).then(
      (grants) => grants.every(({ qos }) => qos < 0x80),
      () => false,
    ),
  ]);
  client.end(true);
  return granted;
}

async function publish(attempt: Attempt, topic: string, payload: object): Promise<boolean> {
  const client = await open(attempt);
  if (client === null) return false;
  const settled = await publishBy(client, topic, payload);
  client.end(true);
  return settled;
}

/** Whether the publish was acknowledged: as taken, or as refused. */
function publishBy(client: MqttClient, topic: string, payload: object): Promise<boolean> {
  return Promise.race([
    closed(client),
    client.publishAsync(topic, JSON.stringify(payload), { qos: 1 }).then(
      () => true,
      (error) => error instanceof ErrorWithReasonCode,
    ),
  ]);
}

function closed(client: MqttClient): Promise<false> {
  return new Promise((resolve) => client.once("close", () => resolve(false)));
}

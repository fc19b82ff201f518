import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { serviceScopes, topics, toRoutingKey, userScopes } from "../src/index.ts";
import { anyGroupId, anyId } from "./arbitraries.ts";

type Permission = "read" | "write" | "configure";

/** RabbitMQ's own reading: `rabbitmq.<permission>:<vhost>/<name>[/<key>]`, each part a glob in which `*` is anything. */
function allows(scopes: readonly string[], permission: Permission, resource: string, key?: string): boolean {
  const glob = (pattern: string, text: string) => {
    const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${source}$`, "s").test(text);
  };
  return scopes.some((scope) => {
    const [granted, pattern = ""] = scope.split(/:(.*)/s);
    const [vhost = "", name = "", topic] = pattern.split("/");
    if (granted !== `rabbitmq.${permission}` || !glob(vhost, "/") || !glob(name, resource)) return false;
    // A topic's check looks at the key; the check of a plain resource does not.
    return key === undefined || glob(topic ?? "*", key);
  });
}

describe("The scopes of a compat token", () => {
  it("are letter by letter what existing issuers write", () => {
    expect(userScopes("tilechat", "USER1")).toEqual([
      "rabbitmq.read:*/*/apps.tilechat.users.USER1.*",
      "rabbitmq.write:*/*/apps.tilechat.users.USER1.*",
      "rabbitmq.write:*/*/apps.tilechat.outgoing.users.USER1.*",
      "rabbitmq.configure:*/*/*",
    ]);
  });
});

describe("The scopes of a strict token", () => {
  it("name the exchange, the user's topics and the client's queues, nothing else", () => {
    expect(userScopes("tilechat", "USER1", "c-1")).toEqual([
      "rabbitmq.read:*/amq.topic/apps.tilechat.users.USER1.*",
      "rabbitmq.write:*/amq.topic/apps.tilechat.users.USER1.*",
      "rabbitmq.write:*/amq.topic/apps.tilechat.outgoing.users.USER1.*",
      "rabbitmq.configure:*/mqtt-subscription-c-1qos0",
      "rabbitmq.write:*/mqtt-subscription-c-1qos0",
      "rabbitmq.read:*/mqtt-subscription-c-1qos0",
      "rabbitmq.configure:*/mqtt-subscription-c-1qos1",
      "rabbitmq.write:*/mqtt-subscription-c-1qos1",
      "rabbitmq.read:*/mqtt-subscription-c-1qos1",
    ]);
  });

  it("open no internal queue for any permission", () => {
    const scopes = userScopes("tilechat", "a", "c-1");
    for (const queue of [
      "messages",
      "persist",
      "webhooks",
      "mqtt-subscription-c-2qos1",
      "mqtt-subscription-",
      "mqtt-subscription-c-1",
      "mqtt-subscription-c-12qos1",
      "mqtt-subscription-c-1-2qos0",
      "mqtt-subscription-c-1qos0b",
      "mqtt-subscription-c-1qos",
    ]) {
      for (const permission of ["read", "write", "configure"] as const) {
        expect(allows(scopes, permission, queue), `${permission} ${queue}`).toBe(false);
      }
    }
    expect(allows(scopes, "configure", "amq.topic")).toBe(false);
    for (const queue of ["mqtt-subscription-c-1qos0", "mqtt-subscription-c-1qos1"]) {
      for (const permission of ["read", "write", "configure"] as const) {
        expect(allows(scopes, permission, queue), `${permission} ${queue}`).toBe(true);
      }
    }
  });
});

describe.each([
  ["compat", undefined],
  ["strict", "client-1"],
])("A user's scopes (%s)", (_profile, clientId) => {
  it("allow what the user receives and publishes, for every id", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, anyId, (app, user, conversWith, id) => {
        const scopes = userScopes(app, user, clientId);
        const received = [topics.messageAdded(app, user, conversWith), topics.ephemeral(app, user)];
        for (const topic of received)
          expect(allows(scopes, "read", "amq.topic", toRoutingKey(topic))).toBe(true);
        const published = [
          topics.outgoing(app, user, conversWith),
          topics.command(app, user, id),
          topics.receipt(app, user, conversWith, id),
          topics.conversationArchive(app, user, conversWith),
          topics.presence(app, user, id),
        ];
        for (const topic of published)
          expect(allows(scopes, "write", "amq.topic", toRoutingKey(topic))).toBe(true);
      }),
    );
  });

  it("reach nobody else, however near the ids are", () => {
    fc.assert(
      fc.property(anyId, anyId, anyGroupId, (user, other, conversWith) => {
        fc.pre(user !== other);
        const scopes = userScopes("tilechat", user, clientId);
        const inbox = toRoutingKey(topics.messageAdded("tilechat", other, conversWith));
        const outgoing = toRoutingKey(topics.outgoing("tilechat", other, conversWith));
        const elsewhere = toRoutingKey(topics.messageAdded("other", user, conversWith));
        for (const key of [inbox, outgoing, elsewhere]) {
          expect(allows(scopes, "read", "amq.topic", key), key).toBe(false);
          expect(allows(scopes, "write", "amq.topic", key), key).toBe(false);
        }
      }),
    );
  });

  it.each(["a-b", "a=", "ab", "a:b", "a$", "aa"])(
    "of `a` do not reach `%s`, nor the other way round",
    (other) => {
      const inboxOf = (user: string) => toRoutingKey(topics.messageAdded("tilechat", user, "x"));

      expect(allows(userScopes("tilechat", "a", clientId), "read", "amq.topic", inboxOf(other))).toBe(false);
      expect(allows(userScopes("tilechat", other, clientId), "read", "amq.topic", inboxOf("a"))).toBe(false);
    },
  );

  it("do not allow an internal key", () => {
    const scopes = userScopes("tilechat", "a", clientId);
    for (const key of ["apps.observer.tilechat.groups.update", "observer.webhook.apps.tilechat.presence"]) {
      expect(allows(scopes, "write", "amq.topic", key)).toBe(false);
    }
  });
});

test("A backend's scopes are everything", () => {
  expect(serviceScopes).toEqual(["rabbitmq.read:*/*/*", "rabbitmq.write:*/*/*", "rabbitmq.configure:*/*/*"]);
});

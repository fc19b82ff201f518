import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import { describeBadInput } from "./bad-input.ts";
import { describeConversations } from "./conversations.ts";
import { describeGroups } from "./groups.ts";
import { describeLostAcknowledgements } from "./lost-acknowledgements.ts";
import { describeMessages } from "./messages.ts";
import { describePresence } from "./presence.ts";
import { describeProviderIds } from "./provider-ids.ts";
import { describeQuirks } from "./quirks.ts";
import { describeReceipts } from "./receipts.ts";
import { describeScopes } from "./scopes.ts";
import type { StartTopology } from "./topology.ts";
import { startWebhookReceiver } from "./webhook-receiver.ts";
import { World } from "./world.ts";

/**
 * The wire contract of Chat21, for every topology. The suite works from outside: through MQTT 3.1.1, REST with the
 * existing paths, webhooks and metrics. It makes its tokens from the shared secret alone. One topology serves the whole
 * suite; tests share no users, groups or conversations. With `protocolVersion` 5 its clients speak MQTT 5.
 */
export function describeConformance(
  name: string,
  startTopology: StartTopology,
  protocolVersion: 4 | 5 = 4,
): void {
  describe(`${name} conforms${protocolVersion === 5 ? ", to clients of MQTT 5" : ""}`, () => {
    let world: World;

    beforeAll(async () => {
      const webhooks = await startWebhookReceiver();
      world = new World(await startTopology({ webhookEndpoint: webhooks.url }), webhooks, protocolVersion);
    });
    beforeEach(() => {
      expect.hasAssertions();
    });
    afterEach(() => world.leave());
    afterAll(async () => {
      await world.topology.close();
      await world.webhooks.close();
    });

    const current = () => world;
    describeMessages(current);
    describeLostAcknowledgements(current);
    describeReceipts(current);
    describeConversations(current);
    describeGroups(current);
    describePresence(current);
    describeProviderIds(current);
    describeQuirks(current);
    describeBadInput(current);
    describeScopes(current);
  });
}

import { describe } from "vitest";
import { describeAmendments } from "./store-contract/amendments.ts";
import { describeChangeModel } from "./store-contract/change-model.ts";
import { describeChanges } from "./store-contract/changes.ts";
import { describeCommit } from "./store-contract/commit.ts";
import { describeConversationModel } from "./store-contract/conversation-model.ts";
import { describeConversations } from "./store-contract/conversations.ts";
import { describeDispatchMarks } from "./store-contract/dispatch-marks.ts";
import { describeEventReads } from "./store-contract/event-reads.ts";
import { describeListModel } from "./store-contract/list-model.ts";
import { describeLists } from "./store-contract/lists.ts";
import { describeMessageSearch } from "./store-contract/message-search.ts";
import { describeOverlays } from "./store-contract/overlays.ts";
import { describePatches } from "./store-contract/patches.ts";
import { describePeople } from "./store-contract/people.ts";
import { describePresence } from "./store-contract/presence.ts";
import { describePresenceModel } from "./store-contract/presence-model.ts";
import { describeStoreLife } from "./store-contract/store-life.ts";
import { type OpenStore, useStore } from "./store-contract/store-world.ts";
import { describeWebhookLeases } from "./store-contract/webhook-leases.ts";
import { describeWebhookModel } from "./store-contract/webhook-model.ts";
import { describeWebhookRows } from "./store-contract/webhook-rows.ts";

export type { OpenedStore, OpenStore } from "./store-contract/store-world.ts";

/**
 * The contract of every store, sentence by sentence of its ports' documentation, and in random runs compared with the
 * memory store. `open` makes a new, empty store. It is called a few times; most tests share one under their own apps.
 */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    const world = useStore(open);
    describeStoreLife(open);
    describeCommit(world);
    describeEventReads(world);
    describeDispatchMarks(world, open);
    describeAmendments(world);
    describeMessageSearch(world);
    describeOverlays(world, open);
    describeConversations(world);
    describeLists(world);
    describePatches(world);
    describeChanges(world);
    describePeople(world);
    describePresence(world);
    describeWebhookRows(world);
    describeWebhookLeases(world);
    describeConversationModel(world);
    describeListModel(world);
    describeChangeModel(world);
    describePresenceModel(world);
    describeWebhookModel(world);
  });
}

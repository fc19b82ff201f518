import type { ClientStorage } from "./client-storage.ts";
import type { Commands } from "./commands.ts";
import type { ConversationStore } from "./conversation-store.ts";
import type { Emitter } from "./emitter.ts";
import type { ChatEvents } from "./events.ts";
import type { GroupsClient } from "./groups-client.ts";
import type { Link } from "./link.ts";
import type { Marks } from "./marks.ts";
import type { ResolvedOptions } from "./options.ts";
import type { OutboxQueue } from "./outbox.ts";
import type { PositionKeeper } from "./position-keeper.ts";
import type { PresenceClient } from "./presence-client.ts";
import type { RestClient } from "./rest.ts";
import type { Sender } from "./sender.ts";
import type { ServerClock } from "./server-clock.ts";
import type { Synchronizer } from "./synchronizer.ts";
import type { TokenKeeper } from "./token-keeper.ts";
import type { Typing } from "./typing.ts";

/** What the parts of a client share. */
export interface ClientContext {
  readonly app: string;
  readonly user: string;
  readonly fullname: string;
  readonly options: ResolvedOptions;
  readonly tokens: TokenKeeper;
  readonly storage: ClientStorage;
  readonly emitter: Emitter<ChatEvents>;
  /** What to publish on; `undefined` while there is no connection. */
  link(): Link | undefined;
  handleOutboxChange(): void;
  report(thrown: unknown): void;
}

/** The parts of a client. */
export interface ClientParts {
  readonly commands: Commands;
  readonly conversations: ConversationStore;
  readonly groups: GroupsClient;
  readonly marks: Marks;
  readonly outbox: OutboxQueue;
  readonly positions: PositionKeeper;
  readonly presence: PresenceClient;
  readonly rest: RestClient;
  readonly sender: Sender;
  readonly serverClock: ServerClock;
  readonly synchronizer: Synchronizer;
  readonly typing: Typing;
}

/**
 * Version 1. One rule decides the shape: an insert must cost the same with a million events stored as with none.
 * - `event_content` is the log in commit order: bodies are appended, whatever the conversation.
 * - `event` holds the fields for searching and counting, clustered by conversation: a new event goes to the page that
 *   holds its conversation's tail, which the previous one has already brought into memory. It is the fence
 *   `(conversation, seq)` and a covering index for lists and unread counts in one.
 * - Names (`message_id`, `temp_uid`) are random, and an index on them would change one random page for each event
 *   (measured with 1,000,000 events: 40 instead of 16 microseconds, and ten times the checkpoint). `event` carries a
 *   32-bit hash of each instead; a name is looked for from the conversation's newest event backwards, at 0.05
 *   microseconds an event: those that are asked for are nearly always among the last.
 * - Idempotency keys must be looked for among all events, so they have a real index, the key before the sender: keys
 *   that ascend in time, as our SDK's do, are appended, whoever the sender is. Then an event costs the writing thread
 *   the same 10 microseconds with 1,000,000 stored as with none, in 100 conversations, and 22 instead of 20 in 5,000;
 *   with random keys it goes from 17 to 22, and from 28 to 37.
 * - A conversation's head is the last row of `event`: a commit updates no other row.
 */
const createSchema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (app, name)
) STRICT;

CREATE TABLE conversation (
  id INTEGER PRIMARY KEY,
  app TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  transient INTEGER NOT NULL,
  unlisted_to INTEGER NOT NULL DEFAULT 0,
  group_name TEXT,
  group_owner TEXT,
  group_created_on INTEGER,
  group_updated_on INTEGER,
  group_attributes TEXT,
  UNIQUE (app, name)
) STRICT;

CREATE TABLE member (
  account INTEGER NOT NULL,
  conversation INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  role TEXT NOT NULL,
  intervals TEXT NOT NULL,
  delivered INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0,
  archived_at INTEGER,
  marked_unread INTEGER NOT NULL DEFAULT 0,
  cleared_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, conversation)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_of_conversation ON member (conversation, ordinal);

CREATE TABLE event (
  conversation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  position INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  sender INTEGER NOT NULL,
  type INTEGER NOT NULL,
  listed INTEGER NOT NULL,
  hidden_for INTEGER,
  message_hash INTEGER NOT NULL,
  temp_hash INTEGER,
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_content (
  position INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  sender INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  client_message_id TEXT,
  temp_uid TEXT,
  committed_at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_idempotency_key ON event_content (client_message_id, sender)
  WHERE client_message_id IS NOT NULL;

CREATE TABLE user (
  app TEXT NOT NULL,
  id TEXT NOT NULL,
  profile TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (app, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE revocation (
  app TEXT NOT NULL,
  user TEXT NOT NULL,
  token_id TEXT NOT NULL,
  issued_before INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (app, user, token_id, issued_before)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_expiry ON revocation (expires_at);

CREATE TABLE instance (
  app TEXT NOT NULL,
  user TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  data TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (app, user, instance_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE presence_lease (
  account INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (account, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_lease_expiry ON presence_lease (expires_at);

CREATE TABLE last_seen (account INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;

CREATE TABLE webhook_delivery (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL,
  app TEXT NOT NULL,
  order_key TEXT NOT NULL,
  event TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  is_head INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER NOT NULL,
  leased_until INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER GENERATED ALWAYS AS (max(next_attempt_at, leased_until)) VIRTUAL,
  last_status INTEGER,
  last_error TEXT,
  settled_at INTEGER,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX webhook_lane ON webhook_delivery (endpoint, order_key, position) WHERE state = 'pending';
CREATE INDEX webhook_queued ON webhook_delivery (endpoint, queued_at) WHERE state = 'pending';
CREATE INDEX webhook_head_due ON webhook_delivery (endpoint, due_at) WHERE is_head = 1;
CREATE INDEX webhook_head_order ON webhook_delivery (endpoint, position, due_at) WHERE is_head = 1;
CREATE INDEX webhook_dead ON webhook_delivery (endpoint, position) WHERE state = 'dead';
CREATE INDEX webhook_settled ON webhook_delivery (state, settled_at) WHERE settled_at IS NOT NULL;
`;

/** Version 2: finds by client id the person whose connection ended. */
const findPresenceByClient = "CREATE INDEX presence_lease_client ON presence_lease (client_id);";

/**
 * Version 3: messages as they are now, and what has changed for a member.
 * - `overlay` holds one row for each message that was ever amended; every read of events asks it. `erased`: the content
 *   is gone for good; `overlay` is NULL when maintenance took the overlay away. Erased messages were events of a kind
 *   of their own (code 5) before.
 * - Events that are no messages have an index: they are few, and maintenance looks for them.
 * - `changed` is the number of the last change of a member's row, or, in a direct conversation, of either's place. The
 *   numbers are those of the log: events and patches take them from one sequence. `widened` is the number of the last
 *   run that brought earlier events into the member's sight.
 */
const keepOverlays = `
CREATE TABLE overlay (
  conversation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  erased INTEGER NOT NULL,
  overlay TEXT,
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO overlay (conversation, seq, erased, overlay)
  SELECT conversation, seq, 1, '{"version":0,"deleted":{"by":"system","at":0}}' FROM event WHERE type = 5;
UPDATE event SET type = 0 WHERE type = 5;
CREATE INDEX event_beside_messages ON event (type, conversation) WHERE type <> 0;
ALTER TABLE member ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN widened INTEGER NOT NULL DEFAULT 0;
CREATE INDEX member_changed ON member (account, changed);
`;

/** Version 4: webhooks are taken in the order in which they are due, no longer in that of their arrival. */
const takeWebhooksWhenDue = "DROP INDEX webhook_head_order;";

/** Version 5: finds leases that a clock made which was ahead. */
const findLongLeases =
  "CREATE INDEX webhook_leased ON webhook_delivery (endpoint, leased_until) WHERE leased_until > 0;";

/** Version 6: keys of backends. A key is found by its hash. */
const keepServerKeys = `
CREATE TABLE server_key (
  hash TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  app TEXT NOT NULL,
  user TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX server_key_app ON server_key (app, created_at, id);
`;

/** `migrations[n]` takes a database from version n to n + 1. Never change one that was released: add another. */
export const migrations: readonly string[] = [
  createSchema,
  findPresenceByClient,
  keepOverlays,
  takeWebhooksWhenDue,
  findLongLeases,
  keepServerKeys,
];

/** The version this code reads and writes. */
export const schemaVersion = migrations.length;

/** `PRAGMA application_id`: tells our files from anybody else's ("Ch21"). */
export const applicationId = 0x43683231;

import type { mongo } from "mongoose";
import type {
  ConversationDocument,
  CounterDocument,
  DeliveryDocument,
  EventDocument,
  InstanceDocument,
  LaneDocument,
  LeaseDocument,
  ListReaderDocument,
  MemberDocument,
  PresenceDocument,
  RevocationDocument,
  SchemaDocument,
  ServerKeyDocument,
  UserDocument,
  WriterDocument,
} from "./documents.ts";

/** The store's collections. Their prefix keeps them apart from those of an original Chat21 in the same database. */
export interface Collections {
  readonly conversations: mongo.Collection<ConversationDocument>;
  readonly counters: mongo.Collection<CounterDocument>;
  readonly deliveries: mongo.Collection<DeliveryDocument>;
  readonly events: mongo.Collection<EventDocument>;
  readonly instances: mongo.Collection<InstanceDocument>;
  readonly lanes: mongo.Collection<LaneDocument>;
  readonly leases: mongo.Collection<LeaseDocument>;
  readonly listReaders: mongo.Collection<ListReaderDocument>;
  readonly members: mongo.Collection<MemberDocument>;
  readonly presence: mongo.Collection<PresenceDocument>;
  readonly revocations: mongo.Collection<RevocationDocument>;
  readonly schema: mongo.Collection<SchemaDocument>;
  readonly serverKeys: mongo.Collection<ServerKeyDocument>;
  readonly users: mongo.Collection<UserDocument>;
  readonly writers: mongo.Collection<WriterDocument>;
}

/** The driver's own collections: mongoose casts nothing on the way of a message. */
export function openCollections(database: mongo.Db): Collections {
  return {
    conversations: database.collection("chat21_conversations"),
    counters: database.collection("chat21_counters"),
    deliveries: database.collection("chat21_webhook_deliveries"),
    events: database.collection("chat21_events"),
    instances: database.collection("chat21_instances"),
    lanes: database.collection("chat21_webhook_lanes"),
    leases: database.collection("chat21_leases"),
    listReaders: database.collection("chat21_list_readers"),
    members: database.collection("chat21_members"),
    presence: database.collection("chat21_presence"),
    revocations: database.collection("chat21_revocations"),
    schema: database.collection("chat21_schema"),
    serverKeys: database.collection("chat21_server_keys"),
    users: database.collection("chat21_users"),
    writers: database.collection("chat21_writers"),
  };
}

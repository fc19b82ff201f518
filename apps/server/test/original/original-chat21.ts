import mongoose from "mongoose";

type Document = Record<string, unknown>;

/** What a client puts into a message; the server adds the rest. */
export type Payload = Readonly<Record<string, unknown>>;

/** A group as the original's API takes it. */
export interface NewGroup {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly members: readonly string[];
  readonly attributes?: object;
}

/** A MongoDB's address with a database in it. */
export function uriOf(mongoUri: string, database: string): string {
  return mongoUri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?[^?]*/, `$1/${database}`);
}

const looksLikeGroup = (id: string) => id.includes("group-");

/**
 * Writes a MongoDB as an original Chat21 does, its faults among it, and answers as its REST does. Made from the
 * description of its behaviour, without any code of ours.
 */
export class OriginalChat21 {
  readonly #client: mongoose.mongo.MongoClient;
  readonly #db: mongoose.mongo.Db;
  readonly app: string;
  /** Milliseconds; moves on with every message unless a test holds it. */
  now = 1_700_000_000_000;
  #ids = 0;

  private constructor(client: mongoose.mongo.MongoClient, database: string, app: string) {
    this.#client = client;
    this.#db = client.db(database);
    this.app = app;
  }

  static async open(uri: string, database: string, app = "tilechat"): Promise<OriginalChat21> {
    const client = await new mongoose.mongo.MongoClient(uri).connect();
    const original = new OriginalChat21(client, database, app);
    await original.#createIndexes();
    return original;
  }

  collection(name: string): mongoose.mongo.Collection {
    return this.#db.collection(name);
  }

  get database(): mongoose.mongo.Db {
    return this.#db;
  }

  async #createIndexes(): Promise<void> {
    await this.collection("messages").createIndex({ timelineOf: 1, message_id: 1 });
    await this.collection("messages").createIndex({ timelineOf: 1, conversWith: 1 });
    await this.collection("conversations").createIndex({ timelineOf: 1, conversWith: 1 }, { unique: true });
    await this.collection("groups").createIndex({ uid: 1 });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** P1: a message on its way through the observer. Answers its id. */
  async send(sender: string, recipient: string, payload: Payload = {}): Promise<string> {
    this.#ids += 1;
    const message_id = `${this.app}-${String(this.#ids).padStart(12, "0")}`;
    this.now += 1_000;
    const message: Document = {
      text: `message ${this.#ids}`,
      type: "text",
      sender_fullname: sender.toUpperCase(),
      recipient_fullname: recipient.toUpperCase(),
      ...payload,
      message_id,
      sender,
      recipient,
      app_id: this.app,
      timestamp: payload["timestamp"] ?? this.now,
    };
    if (message["channel_type"] === "group" || looksLikeGroup(recipient)) await this.#sendToGroup(message);
    else {
      await this.#persist({ ...message, status: 100 }, sender, recipient);
      await this.#persist({ ...message, status: 150 }, recipient, sender);
    }
    return message_id;
  }

  async #sendToGroup(message: Document): Promise<void> {
    const groupId = message["recipient"] as string;
    const sender = message["sender"] as string;
    const inline = message["group"] as { uid?: string; members: Record<string, number> } | undefined;
    let members: Record<string, number>;
    if (inline !== undefined) {
      inline.uid = groupId;
      inline.members[groupId] = 1;
      inline.members[sender] = 1;
      members = inline.members;
    } else {
      const group = await this.collection("groups").findOne({ uid: groupId });
      members = { ...((group?.["members"] as Record<string, number>) ?? { [sender]: 1 }), [groupId]: 1 };
    }
    const hiddenFor = (message["attributes"] as Document | null | undefined)?.["hiddenFor"];
    for (const member of Object.keys(members)) {
      // B1: leaves out everybody who comes later, the group's own timeline among them.
      if (member === hiddenFor) break;
      await this.#persist({ ...message, status: member === groupId ? 100 : 150 }, member, groupId);
    }
  }

  async #persist(message: Document, timelineOf: string, conversWith: string): Promise<void> {
    const { _id: _, ...rest } = message;
    const document: Document = { ...rest, app_id: this.app, timelineOf, conversWith };
    const { message_id } = document;
    await this.collection("messages").updateOne(
      { timelineOf, message_id },
      { $set: document },
      { upsert: true },
    );
    const attributes = document["attributes"] as Document | null | undefined;
    if (attributes?.["updateconversation"] === false) return;
    const entry = {
      ...document,
      key: conversWith,
      is_new: true,
      archived: false,
      last_message_text: document["text"],
    };
    await this.collection("conversations").updateOne(
      { timelineOf, conversWith },
      { $set: entry },
      { upsert: true },
    );
  }

  /** P2. The id is not looked up: an unknown one leaves documents with nothing else in them. */
  async receipt(me: string, conversWith: string, message_id: string): Promise<void> {
    for (const [timelineOf, status] of [
      [me, 200],
      [conversWith, 250],
    ] as const) {
      await this.collection("messages").updateOne(
        { timelineOf, message_id },
        { $set: { timelineOf, message_id, status } },
        { upsert: true },
      );
    }
  }

  /** P3: any keys; makes an entry without an app where there is none. */
  async patch(me: string, conversWith: string, patch: Payload): Promise<void> {
    await this.collection("conversations").updateOne(
      { timelineOf: me, conversWith },
      { $set: patch },
      { upsert: true },
    );
  }

  /** P4. B5: an internal field stays. */
  async archive(me: string, conversWith: string): Promise<void> {
    const temp_field_chat_topic = `apps.${this.app}.users.${me}.conversations.${conversWith}.archive`;
    const archived = { timelineOf: me, conversWith, archived: true, temp_field_chat_topic };
    await this.patch(me, conversWith, archived);
  }

  async createGroup({ id, name, owner, members, attributes }: NewGroup): Promise<void> {
    const group = {
      uid: id,
      name,
      appId: this.app,
      owner,
      members: Object.fromEntries(members.map((member) => [member, 1])),
      createdOn: this.now,
      updatedOn: this.now,
      ...(attributes === undefined ? {} : { attributes }),
    };
    await this.collection("groups").updateOne({ uid: id }, { $set: group }, { upsert: true });
    await this.#inform(id, name, "Group created", "GROUP_CREATED", { creator: owner });
    for (const member of members) {
      await this.#inform(id, name, `${member} joined group on creation`, "MEMBER_JOINED_GROUP", {
        member_id: member,
      });
    }
  }

  /** B9: the history of a joiner is the 200 oldest messages. */
  async join(group: string, member: string): Promise<void> {
    await this.collection("groups").updateOne(
      { uid: group },
      { $set: { [`members.${member}`]: 1, updatedOn: this.now } },
    );
    const found = await this.collection("groups").findOne({ uid: group });
    const name = String(found?.["name"]);
    await this.#inform(group, name, `${member} added to group`, "MEMBER_JOINED_GROUP", { member_id: member });
    const history = await this.collection("messages")
      .find({ timelineOf: group, conversWith: group })
      .sort({ timestamp: 1 })
      .limit(200)
      .toArray();
    for (const message of history) {
      const attributes = { ...(message["attributes"] as object), sendnotification: false };
      await this.#persist({ ...message, __history: "true", status: 150, attributes }, member, group);
    }
  }

  async leave(group: string, member: string): Promise<void> {
    const found = await this.collection("groups").findOne({ uid: group });
    const { [member]: _, ...members } = (found?.["members"] ?? {}) as Record<string, number>;
    await this.collection("groups").updateOne({ uid: group }, { $set: { members } });
    const parameters = { member_id: member };
    await this.#inform(
      group,
      String(found?.["name"]),
      `${member} removed from group`,
      "MEMBER_LEFT_GROUP",
      parameters,
    );
  }

  async #inform(group: string, name: string, text: string, key: string, parameters: object): Promise<void> {
    const attributes = { subtype: "info", updateconversation: true, messagelabel: { key, parameters } };
    const names = { sender_fullname: "System", recipient_fullname: name };
    await this.send("system", group, { text, type: "text", channel_type: "group", ...names, attributes });
  }

  /** DELETE …/conversations/timelines */
  async deleteConversations(conversWith: string): Promise<void> {
    await this.collection("conversations").deleteMany({ app_id: this.app, conversWith });
  }

  /** DELETE …/messages/timelines */
  async deleteMessages(conversWith: string): Promise<void> {
    await this.collection("messages").deleteMany({ app_id: this.app, conversWith });
  }

  async saveInstance(user: string, instance_id: string): Promise<void> {
    const instance = { app_id: this.app, user_id: user, instance_id, platform: "web/1", language: "en" };
    await this.collection("instances").updateOne({ instance_id }, { $set: instance }, { upsert: true });
  }

  /** GET …/conversations and …/conversations/archived */
  async listConversations(user: string, archived: boolean): Promise<Document[]> {
    const filter = { timelineOf: user, app_id: this.app, archived };
    return this.#read(this.collection("conversations").find(filter).sort({ timestamp: -1 }).limit(200));
  }

  /** GET …/conversations/:conversWith/messages */
  async listMessages(user: string, conversWith: string): Promise<Document[]> {
    const filter = { timelineOf: user, app_id: this.app, conversWith };
    return this.#read(this.collection("messages").find(filter).sort({ timestamp: -1 }).limit(200));
  }

  /** GET …/groups/:id as an admin; `null` when there is none. */
  async getGroup(id: string): Promise<Document | null> {
    const [found] = await this.#read(this.collection("groups").find({ uid: id }));
    return found ?? null;
  }

  async #read(cursor: mongoose.mongo.FindCursor): Promise<Document[]> {
    return JSON.parse(JSON.stringify(await cursor.toArray()));
  }

  /** Everybody who has anything. */
  async everybody(): Promise<string[]> {
    const owners = await this.collection("messages").distinct("timelineOf");
    const listed = await this.collection("conversations").distinct("timelineOf");
    return [...new Set([...owners, ...listed])].filter((id) => !looksLikeGroup(id)).sort();
  }

  /** Every document of the original, to see that nothing of it has changed. */
  async content(): Promise<string> {
    const parts = ["messages", "conversations", "groups", "instances"].map((name) =>
      this.collection(name).find().sort({ _id: 1 }).toArray(),
    );
    return JSON.stringify(await Promise.all(parts));
  }

  async drop(): Promise<void> {
    await this.#db.dropDatabase();
  }
}

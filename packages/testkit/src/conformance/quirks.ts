import { describe, expect, it } from "vitest";
import { groupMessage } from "./groups.ts";
import { textMessage } from "./messages.ts";
import type { Frame, OldClient } from "./old-client.ts";
import type { ReceivedWebhook } from "./webhook-receiver.ts";
import { app, type World } from "./world.ts";

const endsWith = (suffix: string) => (frame: Frame) => frame.topic.endsWith(suffix);
const isGroupUpdate = (frame: Frame) => frame.topic.includes("/groups/");

/** Quirks that existing clients depend on: Q1 to Q23 of `docs/wire.md`, one test each. */
export function describeQuirks(world: () => World): void {
  const list = async (me: OldClient, name: string) =>
    (await world().rest(me.user).get(`${app}/${me.user}/${name}`)).body.result;
  const isEvent = (type: string, text: string) => (webhook: ReceivedWebhook) =>
    webhook.body.event_type === type && webhook.body.data?.text === text;
  /** Makes a text unique, so that a test does not take the webhooks of other tests for its own. */
  const unique = (text: string) => `${text} ${world().newUser("x")}`;

  describe("existing clients can rely on", () => {
    it("Q1: ids, app and status made by the server, and a timestamp of their own that is kept", async () => {
      const [a, b] = await world().people("a", "b");
      const timestamp = Date.now() - 5_000;
      const forged = {
        message_id: "mine",
        sender: b.user,
        recipient: "x",
        app_id: "other",
        status: 999,
        timestamp,
      };

      await a.send(b.user, textMessage("hi", forged));
      const message = (await b.nextMessage(a.user)).payload;

      expect(message).toMatchObject({
        sender: a.user,
        recipient: b.user,
        app_id: app,
        status: 150,
        timestamp,
      });
      expect(message.message_id).not.toBe("mine");
    });

    it("Q2: their own message coming back, sent (100) to a person and delivered (150) to a group", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user]);

      await a.send(b.user, textMessage("direct"));
      await a.send(group, groupMessage("group"));

      expect((await a.nextMessage(b.user, "direct")).payload.status).toBe(100);
      expect((await a.nextMessage(group, "group")).payload.status).toBe(150);
    });

    it("Q3: tempUID in every copy, and a receipt that names it", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi", { attributes: { tempUID: "TEMP-1" } }));
      const own = (await a.nextMessage(b.user)).payload;
      const received = (await b.nextMessage(a.user)).payload;

      await b.publish(`apps/${app}/users/${b.user}/messages/${a.user}/TEMP-1/update`, { status: 200 });
      const update = (await a.next(endsWith("/TEMP-1/clientupdated"))).payload;
      await b.publish(`apps/${app}/users/${b.user}/messages/${a.user}/never-heard-of/update`, {
        status: 200,
      });
      const unknown = (await a.next(endsWith("/never-heard-of/clientupdated"))).payload;

      expect([own.attributes.tempUID, received.attributes.tempUID]).toEqual(["TEMP-1", "TEMP-1"]);
      expect([update.message_id, unknown.message_id]).toEqual(["TEMP-1", "never-heard-of"]);
      const stored = await world().history(a.user, b.user);
      expect(stored).toMatchObject([{ message_id: own.message_id, status: 250 }]);
    });

    it("Q4: patches with the changed fields and whose they are, nothing else", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi"));
      const { message_id: id } = (await b.nextMessage(a.user)).payload;

      await b.publish(`apps/${app}/users/${b.user}/messages/${a.user}/${id}/update`, { status: 200 });
      const receipt = (await a.next(endsWith("/clientupdated"))).payload;
      await b.publish(`apps/${app}/users/${b.user}/conversations/${a.user}/update`, { is_new: false });
      const patch = (await b.next(endsWith("/clientupdated"))).payload;

      expect(receipt).toEqual({ timelineOf: a.user, message_id: id, status: 250 });
      expect(patch).toEqual({ is_new: false, timelineOf: b.user, conversWith: a.user });
    });

    it("Q5: the whole conversation twice on archiving, first as deleted, then as archived", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, { type: "image", metadata: { src: "x" }, channel_type: "direct" });
      await b.nextMessage(a.user);

      await b.publish(`apps/${app}/users/${b.user}/conversations/${a.user}/archive`, {});
      // A broker also sends a client its own publishes, when it has subscribed to their topic.
      const isTold = ({ topic }: Frame) => topic.includes("conversations/") && !topic.endsWith("/archive");
      const first = await b.next(isTold);
      const second = await b.next(isTold);

      expect(first.topic).toBe(`apps/${app}/users/${b.user}/conversations/${a.user}/clientdeleted`);
      expect(second.topic).toBe(`apps/${app}/users/${b.user}/archived_conversations/${a.user}/clientadded`);
      expect(first.payload).toMatchObject({
        timelineOf: b.user,
        conversWith: a.user,
        key: a.user,
        archived: true,
      });
      expect(first.payload.last_message_text).not.toBeNull();
      expect(first.payload.last_message_text).not.toBeUndefined();
      expect(second.payload).toEqual(first.payload);
    });

    it("Q6: attributes that stay null, and stay absent", async () => {
      const [a, b] = await world().people("a", "b");

      await a.send(b.user, { text: "null", attributes: null });
      await a.send(b.user, { text: "absent" });
      const isNull = (await b.nextMessage(a.user, "null")).payload;
      const isAbsent = (await b.nextMessage(a.user, "absent")).payload;
      const [storedAbsent, storedNull] = await world().history(b.user, a.user);

      expect([isNull.attributes, storedNull?.["attributes"]]).toEqual([null, null]);
      expect("attributes" in isAbsent || "attributes" in (storedAbsent ?? {})).toBe(false);
    });

    it("Q7: receipts to a group being taken and going nowhere", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user]);
      await a.send(group, groupMessage("hi"));
      const { message_id: id } = (await b.nextMessage(group, "hi")).payload;

      await b.publish(`apps/${app}/users/${b.user}/messages/${group}/${id}/update`, { status: 200 }, 1);
      await b.send(group, groupMessage("fence"));
      await a.nextMessage(group, "fence");

      expect(a.untaken((frame) => frame.topic.endsWith(`/${id}/clientupdated`))).toEqual([]);
    });

    it("Q8: the first message to a group that does not exist yet", async () => {
      const [a] = await world().people("a");
      const group = world().newSupportGroup();
      const text = unique("help");

      await a.send(group, groupMessage(text));
      const copy = (await a.nextMessage(group)).payload;
      await world().webhooks.next(isEvent("message-sent", text));
      await world().webhooks.next(isEvent("message-delivered", text));

      expect(copy).toMatchObject({ status: 150, sender: a.user, recipient: group });
      expect(world().webhooks.received.filter(isEvent("message-sent", text))).toHaveLength(1);
    });

    it("and a mistyped id of a group begins nothing", async () => {
      const [a] = await world().people("a");
      const group = world().newGroup();

      await a.send(group, groupMessage("hello?"), 1);
      const posted = await world()
        .rest(a.user)
        .post(`v1/${app}/conversations/${group}/messages`, { text: "hello?", channel_type: "group" });
      const created = await world()
        .admin()
        .post(`${app}/groups`, { group_name: "Team", group_members: {}, group_id: "team" });

      expect((await a.nextAnswer()).payload.code).toBe("not_found");
      expect([posted.status, posted.body.code]).toEqual([404, "not_found"]);
      expect(created.status).toBe(405);
    });

    it("Q9: message-sent once for each message, also when the sender is no member", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user]);
      const text = unique("from above");

      const answer = await world().admin().post(`${app}/messages`, {
        sender_id: "system",
        sender_fullname: "System",
        recipient_id: group,
        recipient_fullname: "Team",
        text,
        channel_type: "group",
      });
      const sent = (await world().webhooks.next(isEvent("message-sent", text))).body;
      await world().webhooks.next(
        (webhook) => isEvent("message-delivered", text)(webhook) && webhook.body.delivered_to === b.user,
      );

      expect(answer.status).toBe(200);
      expect(sent.delivered_to).toBe(group);
      expect(sent.extras.topic).toBe(`apps.${app}.users.${group}.messages.${group}.clientadded`);
      expect(world().webhooks.received.filter(isEvent("message-sent", text))).toHaveLength(1);
    });

    it("Q10: webhooks with the dotted topic and the inbox they are about", async () => {
      const [a, b] = await world().people("a", "b");
      const text = unique("hook");

      await a.send(b.user, textMessage(text));
      const sent = (await world().webhooks.next(isEvent("message-sent", text))).body;
      const delivered = (await world().webhooks.next(isEvent("message-delivered", text))).body;

      const about = { app_id: app, recipient_id: b.user, message_id: sent.data.message_id };
      expect(sent).toMatchObject({ ...about, delivered_to: a.user, data: { status: 100 } });
      expect(sent.extras.topic).toBe(`apps.${app}.users.${a.user}.messages.${b.user}.clientadded`);
      expect(delivered).toMatchObject({ ...about, delivered_to: b.user, data: { status: 150 } });
      expect(delivered.extras.topic).toBe(`apps.${app}.users.${b.user}.messages.${a.user}.clientadded`);
    });

    it("Q11: lists newest first in their envelope, 201 for groups and archives, 405 for what is missing", async () => {
      const [a, b, c] = await world().people("a", "b", "c");
      await a.send(b.user, textMessage("older"));
      await a.nextMessage(b.user, "older");
      await a.send(c.user, textMessage("newer"));
      await a.nextMessage(c.user, "newer");
      const rest = world().rest(a.user);

      const conversations = await rest.get(`${app}/${a.user}/conversations`);
      const messages = await rest.get(`${app}/${a.user}/conversations/${b.user}/messages`);
      const group = await rest.post(`${app}/groups`, { group_name: "G", group_members: {} });
      const archived = await rest.delete(`${app}/conversations/${b.user}`);
      const invalid = await rest.post(`${app}/messages`, { sender_fullname: "A" });

      expect([conversations.status, conversations.body.success]).toEqual([200, true]);
      expect(conversations.body.result.map((one: { conversWith: string }) => one.conversWith)).toEqual([
        c.user,
        b.user,
      ]);
      expect(messages.body).toMatchObject({ success: true, result: [{ text: "older" }] });
      expect([group.status, archived.status]).toEqual([201, 201]);
      expect(invalid).toEqual({ status: 405, body: "Recipient id is mandatory" });
    });

    it("Q12: one conversation's detail as a list of none or one", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("hi"));
      await a.nextMessage(b.user);
      const rest = world().rest(a.user);

      const found = await rest.get(`${app}/${a.user}/conversations/${b.user}`);
      const absent = await rest.get(`${app}/${a.user}/archived_conversations/${b.user}`);

      expect(found.body).toMatchObject({ success: true, result: [{ conversWith: b.user }] });
      expect(absent.body).toEqual({ success: true, result: [] });
    });

    it("Q13: the raw token in the header or in the query, and the usual prefixes as well", async () => {
      const user = world().newUser("a");
      const token = world().token(user);
      const url = `${world().topology.apiUrl}/${app}/${user}/conversations`;
      const status = async (authorization: string) =>
        (await fetch(url, { headers: { authorization } })).status;

      const statuses = [
        await status(token),
        await status(`Bearer ${token}`),
        await status(`JWT ${token}`),
        (await fetch(`${url}?token=${token}`)).status,
        (await fetch(`${url}?jwt=${token}`)).status,
        (await fetch(`${url}?JWT=${token}`)).status,
        await status("nonsense"),
      ];

      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 403]);
    });

    it("Q14: group news, the info message and the history on joining; only messages on being set", async () => {
      const [a, b, late] = await world().people("a", "b", "late");
      const group = await world().createGroup(a.user, [a.user, b.user]);
      await a.send(group, groupMessage("earlier"));
      await a.nextMessage(group, "earlier");
      const members = { [a.user]: 1, [b.user]: 1, [late.user]: 1 };

      await world().rest(a.user).post(`${app}/groups/${group}/members`, { member_id: late.user });
      const news = (await late.next(isGroupUpdate)).payload;
      const history = (await late.nextMessage(group, "earlier")).payload;
      const info = (await late.next((frame) => isLabel(frame, "MEMBER_JOINED_GROUP", late.user))).payload;
      const [set] = await world().people("set");
      await world()
        .rest(a.user)
        .put(`${app}/groups/${group}/members`, { members: { ...members, [set.user]: 1 } });
      await set.nextMessage(group, "earlier");
      await a.next((frame) => isLabel(frame, "MEMBER_JOINED_GROUP", set.user));

      expect(news.members).toEqual(members);
      expect(history).toMatchObject({
        __history: "true",
        status: 150,
        attributes: { sendnotification: false },
      });
      expect(info).toMatchObject({ sender: "system", attributes: { subtype: "info" } });
      expect(set.untaken(isGroupUpdate)).toEqual([]);
    });

    it("Q15: a reason in the group news on joining and leaving, and none on being set", async () => {
      const [a, b, c] = await world().people("a", "b", "c");
      const group = await world().createGroup(a.user, [a.user, b.user]);
      const rest = world().rest(a.user);

      await rest.post(`${app}/groups/${group}/members`, { member_id: c.user });
      const joined = (await b.next(isGroupUpdate)).payload;
      await rest.delete(`${app}/groups/${group}/members/${c.user}`);
      const left = (
        await c.next((frame) => isGroupUpdate(frame) && frame.payload.members[c.user] === undefined)
      ).payload;
      await b.next(isGroupUpdate);
      await rest.put(`${app}/groups/${group}/members`, { members: { [a.user]: 1 } });
      const set = (await b.next(isGroupUpdate)).payload;

      expect(joined.notification.messagelabel).toMatchObject({
        key: "MEMBER_JOINED_GROUP",
        parameters: { member_id: c.user },
      });
      expect(left.notification.messagelabel).toMatchObject({
        key: "MEMBER_LEFT_GROUP",
        parameters: { member_id: c.user },
      });
      expect(set.notification).toBeUndefined();
    });

    it("Q16: an info message for a new group and for each of its members", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user]);

      const created = (await b.next((frame) => isLabel(frame, "GROUP_CREATED"))).payload;
      const joined = await Promise.all(
        [a, b].map((member) => b.next((frame) => isLabel(frame, "MEMBER_JOINED_GROUP", member.user))),
      );

      const info = { sender: "system", type: "text", recipient: group, attributes: { subtype: "info" } };
      expect(created).toMatchObject(info);
      expect(created.attributes.messagelabel.parameters.creator).toBe(a.user);
      for (const { payload } of joined) expect(payload).toMatchObject(info);
    });

    it("Q17: presence on every connect, and offline on a closed tab and on logout", async () => {
      const isPresence = (user: string, presence: string) => (webhook: ReceivedWebhook) =>
        webhook.body.event_type === "presence-change" &&
        webhook.body.user_id === user &&
        webhook.body.presence === presence;
      const [tab] = await world().people("tab");
      await world().webhooks.next(isPresence(tab.user, "online"));
      await tab.cut();
      await world().webhooks.next(isPresence(tab.user, "offline"));

      const again = await world().connect(tab.user);
      await world().webhooks.until((all) => all.filter(isPresence(tab.user, "online")).length === 2);
      await again.end();
      await world().webhooks.until((all) => all.filter(isPresence(tab.user, "offline")).length === 2);

      expect(world().webhooks.received.filter(isPresence(tab.user, "offline"))).toHaveLength(2);
    });

    it("Q18: an archived conversation coming back with the next message, and every message being new", async () => {
      const [a, b] = await world().people("a", "b");
      await a.send(b.user, textMessage("one"));
      await a.nextMessage(b.user, "one");
      await a.publish(`apps/${app}/users/${a.user}/conversations/${b.user}/archive`, {});
      await a.next(endsWith("/archived_conversations/".concat(b.user, "/clientadded")));

      await a.send(b.user, textMessage("two"));
      await a.nextMessage(b.user, "two");

      expect(await list(a, "conversations/archived")).toEqual([]);
      expect(await list(a, "conversations")).toMatchObject([
        { last_message_text: "two", is_new: true, archived: false },
      ]);
      expect(await list(b, "conversations")).toMatchObject([{ is_new: true }]);
    });

    it("Q19: the creator being a member of a new group, unless it is an admin", async () => {
      const user = world().newUser("a");
      const body = { group_name: "G", group_members: { [user]: 1 } };

      const byAdmin = (await world().admin().post(`${app}/groups`, body)).body.group;
      const other = world().newUser("b");
      const byUser = (await world().rest(other).post(`${app}/groups`, body)).body.group;

      expect(byAdmin.members).toEqual({ [user]: 1 });
      expect(byUser.members).toEqual({ [user]: 1, [other]: 1 });
    });

    it("Q20: members of a group as an object of ones", async () => {
      const user = world().newUser("a");
      const group = await world().createGroup(user, [user]);

      const { body } = await world().rest(user).get(`${app}/groups/${group}`);

      expect(body.result.members).toEqual({ [user]: 1 });
    });

    it("Q21: a group being known by its id alone", async () => {
      const [a, b] = await world().people("a", "b");
      const group = await world().createGroup(a.user, [a.user, b.user]);

      await a.send(group, { text: "no channel type" });

      expect((await b.nextMessage(group, "no channel type")).payload.recipient).toBe(group);
    });

    it("Q22: a closed connection where something is refused, and reconnecting as the cure", async () => {
      const user = world().newUser("a");
      await expect(world().connect(user, { token: "nonsense" })).rejects.toThrow();
      const client = await world().connect(user);

      const refused = client.subscribe(`apps/${app}/users/somebody/#`);

      await expect(refused).rejects.toThrow();
      const again = await world().connect(user);
      await again.send(user, textMessage("back"));
      expect((await again.nextMessage(user)).payload.text).toBe("back");
    });

    it("Q23: history that already has what was just delivered", async () => {
      const [a, b] = await world().people("a", "b");

      for (let round = 0; round < 20; round++) {
        await a.send(b.user, textMessage(`m${round}`));
        const live = (await b.nextMessage(a.user)).payload;
        const [newest] = await world().history(b.user, a.user);
        expect(newest).toMatchObject({ message_id: live.message_id, seq: round + 1 });
      }
    });
  });
}

function isLabel(frame: Frame, key: string, member?: string): boolean {
  const label = frame.payload.attributes?.messagelabel;
  return label?.key === key && (member === undefined || label.parameters?.member_id === member);
}

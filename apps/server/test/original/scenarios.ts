import type { OriginalChat21 } from "./original-chat21.ts";

/** Something of everything that an original does, its faults among it. */
export async function everythingOnce(original: OriginalChat21): Promise<void> {
  await direct(original);
  await group(original);
  await support(original);
  await original.saveInstance("anna", "push-token-of-anna");
}

async function direct(original: OriginalChat21): Promise<void> {
  const own = { own_key: { deep: [1, null, "ü"] }, attributes: null, metadata: "" };
  const first = await original.send("anna", "bert", own);
  const second = await original.send("bert", "anna", { attributes: { tempUID: "T-2", lang: "de" } });
  await original.receipt("bert", "anna", first);
  // A widget's receipt names the message by its temporary id: two documents without a message.
  await original.receipt("anna", "bert", "T-2");
  await original.receipt("anna", "bert", second);
  await original.send("anna", "bert", { attributes: { updateconversation: false } });
  await original.send("anna", "anna", { text: "milk, eggs" });
  await original.send("carl", "anna");
  await original.patch("anna", "carl", { is_new: false });
  await original.send("carl", "bert");
  await original.archive("bert", "carl");
  await original.send("dora", "anna");
  await original.archive("anna", "dora");
  await original.send("dora", "anna");
  // A patch of what does not exist: an entry that no list shows.
  await original.patch("anna", "nobody", { is_new: false });
  await original.send("emil", "anna");
  await original.deleteMessages("emil");
  await original.deleteConversations("emil");
  await original.receipt("carl", "anna", "unknown-to-everybody");
}

async function group(original: OriginalChat21): Promise<void> {
  const id = "group-team";
  const attributes = { colour: "red", nested: { a: 1 } };
  await original.createGroup({
    id,
    name: "Team",
    owner: "anna",
    members: ["anna", "bert", "system"],
    attributes,
  });
  const channel = { channel_type: "group" };
  await original.send("anna", id, channel);
  const seen = await original.send("bert", id, { ...channel, attributes: null });
  await original.receipt("anna", id, seen);
  await original.join(id, "carl");
  await original.send("carl", id, channel);
  await original.send("anna", id, { ...channel, attributes: { hiddenFor: "carl" } });
  await original.leave(id, "bert");
  await original.send("anna", id, channel);
  await original.patch("anna", id, { is_new: false });
  await original.archive("bert", id);
}

async function support(original: OriginalChat21): Promise<void> {
  // The way every support chat begins: nobody has created the group.
  const id = "support-group-65c5f7a1b2c3d4e5f6a7b8c9-0123456789abcdef0123456789abcdef";
  await original.send("visitor", id, { channel_type: "group", attributes: { tempUID: "T-9" } });
  await original.send("visitor", id, { channel_type: "group" });
  const members = { dora: 1, anna: 1 };
  await original.send("emil", "group-inline", { channel_type: "group", group: { members } });
}

/** One of a few things that people do, chosen by numbers. */
export async function doSomething(
  original: OriginalChat21,
  [kind, one, other, id]: readonly [number, string, string, number],
  sent: { readonly sender: string; readonly recipient: string; readonly id: string }[],
): Promise<void> {
  const group = `group-${id % 2}`;
  const send = async (sender: string, recipient: string, payload: object = {}) => {
    sent.push({ sender, recipient, id: await original.send(sender, recipient, { ...payload }) });
  };
  switch (kind) {
    case 0:
    case 1:
      return send(one, other);
    case 2:
      return send(one, group, { channel_type: "group" });
    case 3: {
      const message = sent[id % Math.max(1, sent.length)];
      if (message === undefined || message.recipient.includes("group-")) return;
      return original.receipt(message.recipient, message.sender, message.id);
    }
    case 4:
      return original.patch(one, other, { is_new: id % 2 === 0 });
    case 5:
      return original.archive(one, other);
    case 6: {
      if ((await original.getGroup(group)) !== null) return original.join(group, one);
      return original.createGroup({ id: group, name: `Group ${id}`, owner: one, members: [one, other] });
    }
    case 7: {
      const found = await original.getGroup(group);
      if (found !== null && one in (found["members"] as object)) await original.leave(group, one);
      return;
    }
    case 8:
      return send(one, other, { attributes: { updateconversation: false } });
    default:
      return send(one, group, { channel_type: "group", attributes: { hiddenFor: other } });
  }
}

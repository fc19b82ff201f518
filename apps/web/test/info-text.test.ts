import { describe, expect, test } from "vitest";
import { infoText, isInfo } from "../src/timeline/info-text.ts";
import { info, message } from "./message-fixture.ts";

const names: Record<string, string> = { ada: "Ada Lovelace", grace: "Grace Hopper" };
const nameOf = (user: string) => names[user] ?? user;

describe("info messages", () => {
  test("come from the server alone, whatever others say of their messages", () => {
    expect(isInfo(message({ seq: 1 }))).toBe(false);
    expect(isInfo(message({ seq: 1, sender: "system" }))).toBe(true);
    expect(isInfo(message({ seq: 1, attributes: { subtype: "info/support" } }))).toBe(false);
  });

  test("name who made a group", () => {
    expect(infoText([info(1, "GROUP_CREATED", { creator: "ada" })], nameOf)).toBe(
      "Ada Lovelace created the group",
    );
    expect(infoText([info(1, "GROUP_CREATED", {})], nameOf)).toBe("The group was created");
  });

  test("list who joined, and count when there are many", () => {
    const joined = (...ids: string[]) =>
      ids.map((id, index) => info(index, "MEMBER_JOINED_GROUP", { member_id: id }));

    expect(infoText(joined("ada", "grace"), nameOf)).toBe("Ada Lovelace and Grace Hopper joined the group");
    expect(infoText(joined("a", "b", "c", "d", "e", "f"), nameOf)).toBe(
      "a, b, c and 3 others joined the group",
    );
  });

  test("say who has added or removed somebody, and who owns the group then", () => {
    const added = (id: string, by: string) => info(1, "MEMBER_JOINED_GROUP", { member_id: id, added_by: by });

    expect(infoText([added("grace", "ada")], nameOf)).toBe("Ada Lovelace added Grace Hopper");
    expect(infoText([added("grace", "ada"), added("alan", "eve")], nameOf)).toBe(
      "Grace Hopper and alan joined the group",
    );
    expect(infoText([info(1, "MEMBER_LEFT_GROUP", { member_id: "grace", removed_by: "ada" })], nameOf)).toBe(
      "Ada Lovelace removed Grace Hopper",
    );
    expect(infoText([info(1, "MEMBER_LEFT_GROUP", { member_id: "ada", owner: "grace" })], nameOf)).toBe(
      "Ada Lovelace left the group. Grace Hopper owns the group now",
    );
  });

  test("say who has renamed the group, and how", () => {
    const renamed = info(1, "DATA_UPDATED_GROUP", { group_name: "Launch\ncrew", updated_by: "ada" });

    expect(infoText([renamed], nameOf)).toBe("Ada Lovelace renamed the group to “Launch crew”");
  });

  test("prefer the name in the message to a bare id", () => {
    const left = info(1, "MEMBER_LEFT_GROUP", { member_id: "alan", fullname: "Alan Turing" });

    expect(infoText([left], nameOf)).toBe("Alan Turing left the group");
  });

  test("fall back to the server's words where the label is unknown or broken", () => {
    expect(infoText([info(1, "CHAT_CLOSED", {})], nameOf)).toBe("from the server");
    expect(infoText([info(1, "MEMBER_JOINED_GROUP", { member_id: 7 })], nameOf)).toBe("from the server");
    expect(
      infoText([message({ seq: 1, sender: "system", text: "x", attributes: { messagelabel: "y" } })], nameOf),
    ).toBe("x");
  });
});

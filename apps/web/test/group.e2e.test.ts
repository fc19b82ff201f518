import { expect, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld();

test("a group is made, talked in, renamed, joined, left and lost in front of everybody's eyes", async () => {
  const [ada, grace, alan] = [await world.join("Ada"), await world.join("Grace"), await world.join("Alan")];

  await ada.page.getByRole("button", { name: "New group" }).click();
  await ada.page.getByRole("textbox", { name: "Name", exact: true }).fill("Release crew");
  await ada.page.getByRole("textbox", { name: "Members" }).fill("grace");
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await ada.page.getByText("2 members").first().waitFor();
  await grace.row("Release crew").getByRole("link").click();
  await grace.page.locator(".info", { hasText: "created" }).waitFor();
  await grace.write("Hello crew");
  await expect.poll(() => textsOf(ada)).toEqual(["Hello crew"]);
  await ada.page.locator(".run-sender", { hasText: "Grace" }).waitFor();

  await ada.page.getByRole("button", { name: "Group details" }).click();
  const panel = ada.page.getByRole("complementary", { name: "Group details" });
  await panel.getByRole("button", { name: "Rename" }).click();
  await panel.getByRole("textbox", { name: "Name of the group" }).fill("Launch crew");
  await panel.getByRole("button", { name: "Save" }).click();
  await grace.page.getByRole("heading", { level: 2, name: "Launch crew" }).waitFor();
  await grace.page.locator(".info", { hasText: "Ada renamed the group to “Launch crew”" }).waitFor();

  await panel.getByRole("textbox", { name: "Add a member" }).fill("alan");
  await panel.getByRole("button", { name: "Add", exact: true }).click();
  await panel.getByText("3 members").waitFor();
  await alan.row("Launch crew").getByRole("link").click();
  await expect.poll(() => textsOf(alan)).toEqual(["Hello crew"]);
  await alan.write("Thank you for having me");
  await expect.poll(() => textsOf(grace)).toEqual(["Hello crew", "Thank you for having me"]);

  await alan.page.getByRole("button", { name: "Group details" }).click();
  await alan.page.getByRole("button", { name: "Leave group" }).click();
  await alan.page.getByRole("dialog").getByRole("button", { name: "Leave group" }).click();
  await alan.page.getByText("You are not a member of this group").waitFor();
  await panel.getByText("2 members").waitFor();
  await panel.getByRole("button", { name: "Remove Grace from the group" }).click();
  await grace.page.getByText("You are not a member of this group").waitFor();
  await panel.getByText("1 member", { exact: true }).waitFor();

  expect([...ada.problems, ...grace.problems, ...alan.problems]).toEqual([]);
});

test("an owner who leaves passes the group on, and has no more of its buttons", async () => {
  const [ada, grace] = [await world.join("Ada Owner"), await world.join("Grace Heir")];
  await ada.page.getByRole("button", { name: "New group" }).click();
  await ada.page.getByRole("textbox", { name: "Name", exact: true }).fill("Heirs");
  await ada.page.getByRole("textbox", { name: "Members" }).fill("grace-heir");
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await grace.row("Heirs").getByRole("link").click();
  await grace.page.getByRole("button", { name: "Group details" }).click();
  expect(await grace.page.getByRole("button", { name: "Rename" }).count()).toBe(0);

  await ada.page.getByRole("button", { name: "Group details" }).click();
  await ada.page.getByRole("button", { name: "Leave group" }).click();
  await ada.page.getByText("it passes on to the member").waitFor();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Leave group" }).click();

  await grace.page.getByRole("button", { name: "Rename" }).waitFor();
  await grace.page.locator(".info", { hasText: /left the group. Grace Heir owns the group now/ }).waitFor();
  await ada.page.getByText("You are not a member of this group").waitFor();
  expect(await ada.page.getByRole("button", { name: "Rename" }).count()).toBe(0);
  expect([...ada.problems, ...grace.problems]).toEqual([]);
});

test("what the server refuses is said where it was asked", async () => {
  const ada = await world.join("Ada Again");

  await ada.page.getByRole("button", { name: "New group" }).click();
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await ada.page.getByText("Give the group a name.").waitFor();
  await ada.page.getByRole("textbox", { name: "Name", exact: true }).fill("Crew");
  await ada.page.getByRole("textbox", { name: "Members" }).fill("grace ..");
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await ada.page.getByText("“..” is not a user id.").waitFor();
  await ada.page.keyboard.press("Escape");

  await expect.poll(() => ada.page.getByRole("dialog").count()).toBe(0);
  expect(await ada.page.evaluate(() => document.activeElement?.textContent)).toBe("New group");
  expect(ada.problems).toEqual([]);
});

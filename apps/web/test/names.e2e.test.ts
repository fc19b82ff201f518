import { expect, test } from "vitest";
import { useWorld } from "./use-world.ts";

const world = useWorld();

/** Sends a message whose sender claims to have another name. */
async function sendAs(user: string, claimed: string, to: string, text: string, isGroup = false) {
  const token = (await world.server.command("token", user)).trim().split("\n").at(-1);
  const response = await fetch(`${world.server.url}/api/tilechat/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({
      sender_fullname: claimed,
      recipient_id: to,
      recipient_fullname: to,
      text,
      channel_type: isGroup ? "group" : "direct",
    }),
  });
  expect(response.status).toBe(200);
}

test("a new chat shows the name of the person, and whose id it is before it begins", async () => {
  await world.join("Grace New");
  const ada = await world.join("Ada New");

  await ada.page.getByRole("button", { name: "Start something new" }).click();
  await ada.page.getByRole("menuitem", { name: "New conversation" }).click();
  await ada.page.getByRole("textbox", { name: "User id" }).fill("grace-new");
  await ada.page.locator(".person-hint", { hasText: "Grace New" }).getByText("grace-new").waitFor();
  await ada.page.getByRole("button", { name: "Write", exact: true }).click();

  await ada.page.getByRole("heading", { level: 2, name: "Grace New" }).waitFor();
  await ada.page.getByRole("textbox", { name: "Message to Grace New" }).waitFor();
  await ada.page.locator("header .bar-title", { hasText: "grace-new" }).waitFor();
  await ada.write("hello");
  await ada.row("Grace New").waitFor();
  await expect.poll(() => ada.page.title()).toBe("Grace New · Chat21");
  expect(ada.problems).toEqual([]);
});

test("a new group shows whom its ids belong to, and its members by name and id", async () => {
  await world.join("Grace Member");
  const ada = await world.join("Ada Member");

  await ada.page.getByRole("button", { name: "New group" }).click();
  await ada.page.getByRole("textbox", { name: "Name", exact: true }).fill("Crew");
  await ada.page.getByRole("textbox", { name: "Members" }).fill("grace-member, nobody-here");
  await ada.page.locator(".person-hint", { hasText: "Grace Member" }).waitFor();
  expect(await ada.page.locator(".person-hint").count()).toBe(1);
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await ada.page.getByText("3 members").first().waitFor();
  await ada.page.getByRole("button", { name: "Group details" }).click();

  const panel = ada.page.getByRole("complementary", { name: "Group details" });
  const grace = panel.getByRole("listitem").filter({ hasText: "Grace Member" });
  await grace.getByText("grace-member").waitFor();
});

test("who calls themselves by another's name is shown by their own, everywhere", async () => {
  await world.join("Mallory");
  const ada = await world.join("Ada Who");
  await ada.page.getByRole("button", { name: "New group" }).click();
  await ada.page.getByRole("textbox", { name: "Name", exact: true }).fill("Open crew");
  await ada.page.getByRole("textbox", { name: "Members" }).fill("mallory");
  await ada.page.getByRole("button", { name: "Create group" }).click();
  await ada.page.getByText("2 members").first().waitFor();
  const group = decodeURIComponent(new URL(ada.page.url()).hash.split("/").at(-1) ?? "");

  await sendAs("mallory", "Grace Hopper", group, "to the group", true);
  await sendAs("mallory", "Grace Hopper", "ada-who", "to her alone");

  await ada.page.locator(".run-sender", { hasText: "Mallory" }).waitFor();
  await ada.row("Mallory").filter({ hasText: "to her alone" }).waitFor();
  await ada.row("Open crew").filter({ hasText: "Mallory: to the group" }).waitFor();
  await ada.row("to her alone").getByRole("link").click();
  await ada.page.getByRole("heading", { level: 2, name: "Mallory" }).waitFor();
  expect(await ada.page.getByText("Grace Hopper").count()).toBe(0);
});

test("who has no profile is shown by the name that they give, with their id", async () => {
  const ada = await world.join("Ada Guest");

  await sendAs("visitor-7", "A Visitor", "ada-guest", "may I ask?");

  await ada.row("A Visitor").getByRole("link").click();
  await ada.page.locator("header .bar-title", { hasText: "visitor-7" }).getByText("A Visitor").waitFor();
});

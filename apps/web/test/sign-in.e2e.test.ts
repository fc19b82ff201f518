import { expect, test } from "vitest";
import { textsOf } from "./person.ts";
import { useWorld } from "./use-world.ts";

const world = useWorld({ CHAT21_DEV: "0" });

test("where sign-in by name is switched off, a token from the command line does it", async () => {
  const ada = await world.visit();
  await ada.page.getByRole("textbox", { name: "Your name" }).fill("Ada");
  await ada.page.getByRole("button", { name: "Start chatting" }).click();
  await ada.page.getByText("This server does not offer sign-in by name.").waitFor();
  await ada.page.getByText("chat21 token <user>").waitFor();

  const field = ada.page.getByRole("textbox", { name: "Token" });
  await field.fill("not a token");
  await ada.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await ada.page.getByText("That is not a token").waitFor();
  await field.fill(await world.server.command("token", "ada"));
  await ada.page.getByRole("button", { name: "Sign in", exact: true }).click();

  await ada.page.getByRole("heading", { level: 1, name: "ada" }).waitFor();
  await ada.startConversation("ada");
  await ada.write("a note to myself");
  await ada.page
    .getByTitle("Sent")
    .or(ada.page.getByTitle("Delivered"))
    .or(ada.page.getByTitle("Read"))
    .waitFor();
  expect(await textsOf(ada)).toEqual(["a note to myself"]);
  expect(ada.problems.filter((problem) => !problem.includes("404"))).toEqual([]);
});

test("a forged token leads back to the sign-in with a reason", async () => {
  const mallory = await world.visit();
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const forged = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "ada", app_id: "tilechat", exp: 9_999_999_999 })}.AAAA`;

  await mallory.page.getByRole("button", { name: "Use a token instead" }).click();
  await mallory.page.getByRole("textbox", { name: "Token" }).fill(forged);
  await mallory.page.getByRole("button", { name: "Sign in", exact: true }).click();

  await mallory.page.getByText("Your session has ended. Please sign in again").waitFor();
  expect(await mallory.page.evaluate(() => sessionStorage.getItem("chat21.session"))).toBeNull();
});

test("a person with the id of an identity provider signs in, is written to, and stays after a reload", async () => {
  const [ada, bob] = [await world.visit(), await world.visit()];
  for (const [person, user] of [
    [ada, "auth0|5f7c"],
    [bob, "john.doe@example.com"],
  ] as const) {
    await person.page.getByRole("button", { name: "Use a token instead" }).click();
    await person.page.getByRole("textbox", { name: "Token" }).fill(await world.server.command("token", user));
    await person.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await person.page.getByRole("heading", { level: 1, name: user }).waitFor();
  }

  await ada.startConversation("john.doe@example.com");
  await ada.write("hello John");
  await bob.row("auth0|5f7c").click();
  await bob.bubbles.getByText("hello John").waitFor();
  await bob.page.reload();
  await bob.bubbles.getByText("hello John").waitFor();
  await bob.write("hello yourself");
  await ada.bubbles.getByText("hello yourself").waitFor();

  expect(decodeURIComponent(await bob.page.evaluate(() => location.hash))).toContain("auth0|5f7c");
  expect([...ada.problems, ...bob.problems]).toEqual([]);
});

import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";

/** A person with a browser window of their own. */
export interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors and warnings in the page's console, and uncaught errors. */
  readonly problems: string[];
  /** The row of the list that shows `title`. */
  row(title: string): Locator;
  /** The words of that row which say that something in it is unread. */
  unread(title: string): Locator;
  /** The bubbles of the open conversation, oldest first. */
  readonly bubbles: Locator;
  /** The field of the composer. */
  readonly composer: Locator;
  write(text: string): Promise<void>;
  /** Opens the conversation with a user id, through the dialog. */
  startConversation(user: string): Promise<void>;
}

/** Opens a window on `url`. It keeps every problem from the first byte on. */
export async function openWindow(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext({
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`thrown: ${error.message}`));
  await page.goto(url);
  const composer = page.getByRole("textbox", { name: /^Message to / });
  const row = (title: string) =>
    page.getByRole("listitem").filter({ has: page.getByRole("link").filter({ hasText: title }) });
  return {
    context,
    page,
    problems,
    composer,
    bubbles: page.locator(".bubble"),
    row,
    unread: (title) => row(title).getByText(/unread/),
    async write(text) {
      await composer.fill(text);
      await composer.press("Enter");
    },
    async startConversation(user) {
      await page.getByRole("button", { name: "Start something new" }).click();
      await page.getByRole("menuitem", { name: "New conversation" }).click();
      await page.getByRole("textbox", { name: "User id" }).fill(user);
      await page.getByRole("button", { name: "Write", exact: true }).click();
      await composer.waitFor();
    },
  };
}

/** Signs in by name and waits until the list is there. */
export async function signIn(
  browser: Browser,
  url: string,
  name: string,
  options?: BrowserContextOptions,
): Promise<Person> {
  const person = await openWindow(browser, url, options);
  await person.page.getByRole("textbox", { name: "Your name" }).fill(name);
  await person.page.getByRole("button", { name: "Start chatting" }).click();
  await person.page.getByRole("heading", { level: 1, name }).waitFor();
  await person.page.getByText("Loading your conversations…").waitFor({ state: "hidden" });
  return person;
}

/** Returns the texts of the bubbles, without time and marks. */
export function textsOf(person: Person): Promise<string[]> {
  return person.bubbles.evaluateAll((bubbles) =>
    bubbles.map((bubble) => {
      const copy = bubble.cloneNode(true) as Element;
      copy.querySelector(".bubble-meta")?.remove();
      return copy.textContent ?? "";
    }),
  );
}

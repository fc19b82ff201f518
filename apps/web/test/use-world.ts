import { chromiumLaunchOptions } from "@chat21/testkit";
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Cable, layCable } from "./cable.ts";
import { type ChatServer, startChatServer } from "./chat-server.ts";
import { openWindow, type Person, signIn } from "./person.ts";

/** A real server and a real browser for the tests of one file. */
export interface World {
  readonly server: ChatServer;
  /**
   * Opens a window and signs in by name. Each test uses names that no other test uses. Set `url` to go through a
   * cable.
   */
  join(name: string, options?: BrowserContextOptions & { readonly url?: string }): Promise<Person>;
  /** A network path to the server that this test may cut. */
  layCable(): Promise<Cable>;
  /** Opens a window without signing in. `hasKey`: by the address that the server printed. @default true */
  visit(path?: string, options?: { readonly hasKey?: boolean }): Promise<Person>;
  /** A token, as the page gets it. */
  developmentToken(user: string): Promise<string>;
}

/** Starts both before the file's tests, closes all windows after each test, and stops both at the end. */
export function useWorld(env?: Readonly<Record<string, string>>): World {
  let browser: Browser | undefined;
  let server: ChatServer | undefined;
  const people: Person[] = [];
  const cables: Cable[] = [];

  beforeAll(async () => {
    browser = await chromium.launch(chromiumLaunchOptions());
    server = await startChatServer(env);
  });
  afterEach(async () => {
    for (const person of people.splice(0)) await person.context.close();
    for (const cable of cables.splice(0)) await cable.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  function started(): { browser: Browser; server: ChatServer } {
    if (browser === undefined || server === undefined) throw new Error("the world exists inside tests only");
    return { browser, server };
  }

  /** The address with the key of sign-in by name, as the server prints it. */
  function withKey(url: string): string {
    const address = new URL(url);
    const { signInUrl } = started().server;
    if (signInUrl !== null) address.hash = new URL(signInUrl).hash;
    return address.href;
  }

  async function keep(opening: Promise<Person>): Promise<Person> {
    const person = await opening;
    people.push(person);
    return person;
  }

  return {
    get server() {
      return started().server;
    },
    join: (name, { url = started().server.url, ...options } = {}) =>
      keep(signIn(started().browser, withKey(url), name, options)),
    async layCable() {
      const cable = await layCable(started().server.url);
      cables.push(cable);
      return cable;
    },
    visit: (path = "/", { hasKey = true } = {}) => {
      const { href } = new URL(path, started().server.url);
      return keep(openWindow(started().browser, hasKey ? withKey(href) : href));
    },
    async developmentToken(user) {
      const [, key] = (started().server.signInUrl ?? "").split("#key=");
      const response = await fetch(`${started().server.url}/api/v1/tilechat/signin/development`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user, fullname: user, key }),
      });
      return ((await response.json()) as { token: string }).token;
    },
  };
}

import { onTestFinished, vi } from "vitest";
import type { Chat, ChatEvents, ConnectOptions } from "../../src/index.ts";
import { connectWith, type Seams } from "../../src/testing.ts";
import { linksTo } from "./edge-link.ts";
import { TestServer, type TestServerOptions } from "./test-server.ts";

// A machine may have much else to do: slow is no failure, only stuck is.
vi.setConfig({ testTimeout: 30_000 });

/** Events of a client, in order, that a test can wait for. */
export class Recorder {
  readonly events: { readonly name: keyof ChatEvents; readonly event: unknown }[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(chat: Pick<Chat, "on">) {
    const names: (keyof ChatEvents)[] = [
      "conversation",
      "conversationRemoved",
      "error",
      "event",
      "group",
      "message",
      "messageUpdated",
      "outbox",
      "presence",
      "receipt",
      "reset",
      "status",
      "typing",
    ];
    for (const name of names) {
      chat.on(name, (event) => {
        this.events.push({ name, event });
        for (const wake of this.#waiting) wake();
        this.#waiting.clear();
      });
    }
  }

  all<Name extends keyof ChatEvents>(name: Name): ChatEvents[Name][] {
    return this.events.filter((entry) => entry.name === name).map(({ event }) => event as ChatEvents[Name]);
  }

  /** Texts of `message` events of one conversation, in order. */
  texts(conversWith: string): string[] {
    return this.all("message")
      .filter((event) => event.conversWith === conversWith)
      .map(({ message }) => message.text);
  }

  /** Resolves as soon as `condition` holds; looked at after every event. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }
}

/** A server that goes away with the test. */
export async function openServer(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.open(options);
  onTestFinished(() => server.close());
  return server;
}

/** A client of `user` that comes back quickly and goes away with the test. */
export async function openChat(
  server: TestServer,
  user = "alice",
  options: Partial<ConnectOptions> = {},
  seams: Seams = {},
): Promise<Chat> {
  const chat = await connectTo(server, user, options, seams);
  onTestFinished(() => chat.close());
  return chat;
}

/** As {@link openChat}, for clients that may not get there. */
export function connectTo(
  server: TestServer,
  user = "alice",
  options: Partial<ConnectOptions> = {},
  seams: Seams = {},
): Promise<Chat> {
  return connectWith(
    { url: server.url, token: server.token(user), backoff: () => 1, ...options },
    { openLink: linksTo(server.edge), ...seams },
  );
}

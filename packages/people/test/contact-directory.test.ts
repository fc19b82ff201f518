import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createManualClock, createMemoryStore } from "@chat21/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { createContactDirectory } from "../src/index.ts";

const log = { debug() {} };
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A lookup endpoint; `asked` are the paths that it was asked for. */
async function startEndpoint(answer: RequestListener): Promise<{ endpoint: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/names/`, asked };
}

describe("A contact directory", () => {
  it("prefers the profile, and composes a full name where there is none", async () => {
    const { users } = createMemoryStore();
    const profile = JSON.stringify({ firstname: "Ann", lastname: "Lee" });
    await users.put({ app: "app", id: "ann", profile, createdAt: 1, updatedAt: 1 });
    const { endpoint, asked } = await startEndpoint((_request, response) => response.end("{}"));
    const directory = createContactDirectory({ users, clock: createManualClock(), log, endpoint });

    const contacts = await directory.lookup("app", ["ann"]);

    expect(contacts).toEqual([{ fullname: "Ann Lee", firstname: "Ann", lastname: "Lee" }]);
    expect(asked).toEqual([]);
  });

  it("asks the endpoint for people without a profile, in the order of the question, and believes it for two minutes", async () => {
    const clock = createManualClock();
    const { endpoint, asked } = await startEndpoint(({ url = "" }, response) => {
      response.end(
        JSON.stringify({ fullname: `name of ${decodeURIComponent(url.slice("/names/".length))}` }),
      );
    });
    const { users } = createMemoryStore();
    const directory = createContactDirectory({ users, clock, log, endpoint });

    const first = await directory.lookup("app", ["bob", "c@d"]);
    await directory.lookup("app", ["bob"]);
    await clock.advance(121_000);
    await directory.lookup("app", ["bob"]);

    expect(first.map(({ fullname }) => fullname)).toEqual(["name of bob", "name of c@d"]);
    expect(asked.toSorted()).toEqual(["/names/bob", "/names/bob", "/names/c%40d"]);
  });

  it.each<[string, RequestListener]>([
    ["refuses", (_request, response) => response.writeHead(404).end()],
    ["answers no JSON", (_request, response) => response.end("<html>")],
    [
      "answers too much",
      (_request, response) => response.end(JSON.stringify({ fullname: "x".repeat(70_000) })),
    ],
    ["hangs up", (request) => request.socket.destroy()],
  ])("calls people by their ids when the endpoint %s", async (_how, answer) => {
    const { endpoint } = await startEndpoint(answer);
    const { users } = createMemoryStore();
    const directory = createContactDirectory({ users, clock: createManualClock(), log, endpoint });

    expect(await directory.lookup("app", ["bob"])).toEqual([
      { fullname: "bob", firstname: "", lastname: "" },
    ]);
  });
});
